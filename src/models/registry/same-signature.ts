import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../errors.ts';
import type { Signature, TensorSpec } from '../../tensor/tensor.ts';
import type { Assembled } from '../assembled.ts';
import type { LoadedVersion } from './loaded-version.ts';

/** Names of dimensions are words for people: clients rely on data types and sizes. */
function withoutNames({ inputs, outputs }: Signature) {
  const plain = ({ name, datatype, shape }: TensorSpec) => ({ name, datatype, shape });
  return { inputs: inputs.map(plain), outputs: outputs.map(plain) };
}

/** What has been compared: a split of the traffic asks at every request. */
const compared = new WeakMap<Signature, WeakMap<Signature, boolean>>();

/** Whether clients of the one model can be those of the other. */
export function sameSignature(a: Signature, b: Signature): boolean {
  if (a === b) return true;
  const known = compared.get(a) ?? new WeakMap<Signature, boolean>();
  compared.set(a, known);
  const same = known.get(b) ?? isDeepStrictEqual(withoutNames(a), withoutNames(b));
  known.set(b, same);
  return same;
}

/** Clients of a version rely on its signature: other inputs or outputs need a version number of their own. */
export async function refuseNewSignature(previous: LoadedVersion | undefined, assembled: Assembled): Promise<void> {
  const before = previous?.predictor?.signature;
  const { signature } = assembled.predictor;
  if (before === undefined || sameSignature(before, signature)) return;
  await discard(assembled);
  throw new AppError('MODEL_LOAD_FAILED', {
    message: 'The file was replaced by one with another signature; give it a version number of its own',
    received: signature,
    expected: before,
  });
}

/** Ends what was assembled and is not to be used. */
export async function discard({ predictor, release }: Assembled): Promise<void> {
  await predictor.close();
  await release?.();
}
