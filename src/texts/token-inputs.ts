import { AppError } from '../errors.ts';
import type { DataType } from '../tensor/data-type.ts';
import type { Signature, Tensor, Tensors } from '../tensor/tensor.ts';
import type { TextLimits } from './text-limits.ts';

/** Tokens of a text, or of two, with the special ones. */
export interface TokenRow {
  readonly ids: Int32Array;
  /** Undefined: 0 for all. */
  readonly typeIds: Int32Array | undefined;
}

const known = new Set(['input_ids', 'attention_mask', 'token_type_ids', 'position_ids']);

/** What keeps the inputs of a model from being made of tokens; empty when nothing does. */
export function tokenInputFaults({ inputs }: Signature): string[] {
  const faults = inputs.flatMap(({ name, datatype, shape }) => {
    if (!known.has(name)) return [`the model needs the input ${name}, which texts do not have`];
    if (datatype !== 'INT64' && datatype !== 'INT32')
      return [`the input ${name} is ${datatype}, expected INT64 or INT32`];
    return shape.length === 2 ? [] : [`the input ${name} has the shape [${shape.join(',')}], expected [texts, tokens]`];
  });
  return inputs.some(({ name }) => name === 'input_ids') ? faults : [...faults, 'the model has no input input_ids'];
}

/** The length that all rows must have; undefined where any fits. */
export function fixedLength({ inputs }: Signature): number | undefined {
  const length = inputs.find(({ name }) => name === 'input_ids')?.shape[1];
  return length === undefined || length === -1 ? undefined : length;
}

/**
 * The inputs of a model, each row padded to a length.
 *
 * @param length at least that of the longest row
 */
export function tokenInputs(
  { inputs }: Signature,
  rows: readonly TokenRow[],
  length: number,
  { padId, paddingSide }: Pick<TextLimits, 'padId' | 'paddingSide'>,
): Tensors {
  const startOf = (row: TokenRow) => (paddingSide === 'right' ? 0 : length - row.ids.length);
  const fill = (name: string, words: Int32Array, stride: number) => {
    for (const [index, row] of rows.entries()) {
      const base = index * length;
      const start = startOf(row);
      if (name === 'input_ids' && padId !== 0) {
        for (let at = 0; at < length; at++) words[(base + at) * stride] = padId;
      }
      const valueAt = tokenValues(name, row);
      for (let at = 0; at < row.ids.length; at++) words[(base + start + at) * stride] = valueAt(at);
    }
  };
  return Object.fromEntries(
    inputs.map(({ name, datatype }) => [
      name,
      integers(datatype, [rows.length, length], (words, stride) => fill(name, words, stride)),
    ]),
  );
}

/** What an input has for each token. */
function tokenValues(name: string, { ids, typeIds }: TokenRow): (at: number) => number {
  if (name === 'input_ids') return (at) => ids[at] ?? 0;
  if (name === 'attention_mask') return () => 1;
  return name === 'position_ids' ? (at) => at : (at) => typeIds?.[at] ?? 0;
}

/** An integer tensor, filled by its low words: all values are below 2^31, and big integers would cost more than the run of a small model. */
function integers(
  datatype: DataType,
  shape: readonly [number, number],
  fill: (words: Int32Array, stride: number) => void,
): Tensor {
  const length = shape[0] * shape[1];
  if (datatype === 'INT32') {
    const data = new Int32Array(length);
    fill(data, 1);
    return { datatype, shape, data };
  }
  if (datatype === 'INT64') {
    const data = new BigInt64Array(length);
    fill(new Int32Array(data.buffer), 2);
    return { datatype, shape, data };
  }
  throw new AppError('INTERNAL', { message: `Tokens cannot be ${datatype}` });
}
