import { checkOutputs, checkSignature } from '../../tensor/check-signature.ts';
import { commonRows } from '../../tensor/rows.ts';
import { type Signature, type Tensor, type TensorSpec, type Tensors, tensorBytes } from '../../tensor/tensor.ts';
import type { PredictContext } from '../predictor.ts';

/** More rows than these are looked up as one request: a key for each would hold up everybody else. */
const mostRows = 1024;

/** A request as the cache divides it. */
export interface UnitRequest {
  readonly inputs: Tensors;
  /** In the order of the signature. */
  readonly ordered: readonly Tensor[];
  /** The wanted outputs, in the order of the signature. */
  readonly outputs: readonly TensorSpec[];
  readonly unit: 'row' | 'request';
  /** How many units there are. */
  readonly count: number;
}

export interface ReadUnitsOptions {
  readonly signature: Signature;
  readonly independentRows: boolean;
  readonly maxInputBytes: number;
}

/**
 * Divides a request into units.
 *
 * @returns undefined where the cache does not handle the request: it is too large, has no rows, or a text that has no form
 *   in bytes
 * @throws AppError `SIGNATURE_MISMATCH`, `MALFORMED_TENSOR`
 */
export function readUnits(
  inputs: Tensors,
  { outputs: wanted }: Pick<PredictContext, 'outputs'>,
  { signature, independentRows, maxInputBytes }: ReadUnitsOptions,
): UnitRequest | undefined {
  checkSignature(signature, inputs);
  const outputs = wantedOutputs(signature, wanted);
  const ordered: Tensor[] = [];
  let bytes = 0;
  for (const { name } of signature.inputs) {
    const tensor = inputs[name];
    if (tensor === undefined) continue;
    if (!isWellFormed(tensor)) return undefined;
    bytes += tensorBytes(tensor);
    ordered.push(tensor);
  }
  if (bytes > maxInputBytes) return undefined;
  if (!independentRows) return { inputs, ordered, outputs, unit: 'request', count: 1 };
  const rows = commonRows(ordered);
  if (rows === 0) return undefined;
  if (rows > mostRows) return { inputs, ordered, outputs, unit: 'request', count: 1 };
  return { inputs, ordered, outputs, unit: 'row', count: rows };
}

function wantedOutputs({ outputs, ...signature }: Signature, wanted: readonly string[] | undefined) {
  if (wanted === undefined) return outputs;
  checkOutputs({ outputs, ...signature }, wanted);
  return outputs.filter(({ name }) => wanted.includes(name));
}

/** Two texts with halves of characters have the same UTF-8, so that their keys would be equal. */
function isWellFormed(tensor: Tensor): boolean {
  return tensor.datatype !== 'BYTES' || tensor.data.every((text) => text.isWellFormed());
}
