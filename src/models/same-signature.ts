import { isDeepStrictEqual } from 'node:util';
import type { Signature, TensorSpec } from '../tensor/tensor.ts';

/** Names of dimensions are words for people: clients rely on data types and sizes. */
function withoutNames({ inputs, outputs }: Signature) {
  const plain = ({ name, datatype, shape }: TensorSpec) => ({ name, datatype, shape });
  return { inputs: inputs.map(plain), outputs: outputs.map(plain) };
}

/** Whether clients of the one model can be those of the other. */
export function sameSignature(a: Signature, b: Signature): boolean {
  return isDeepStrictEqual(withoutNames(a), withoutNames(b));
}
