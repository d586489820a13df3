import { AppError } from '../errors.ts';
import { elementCount, type Tensor, text } from './tensor.ts';

export interface ClassificationOptions {
  /** Most classes to keep, at least 1. */
  readonly top: number;
  /** Whether dimension 0 counts the rows of a batch, each with classes of its own. */
  readonly batched: boolean;
  /** Names of the classes by index; a class without one has none in its text. */
  readonly labels?: readonly string[] | undefined;
}

const maxElements = 1_000_000;

type NumericTensor = Exclude<Tensor, { datatype: 'BOOL' | 'FP16' | 'BYTES' }>;

/**
 * The best classes of an output, as the classification extension of Triton gives them: a BYTES tensor of shape `[k]` or
 * `[batch, k]`, k the lesser of `top` and the number of classes, with the texts `value:index` or `value:index:label`,
 * greatest value first, equal values by index, NaN last. Floats have six decimals.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
 * @throws AppError `MALFORMED_TENSOR` when `top` is not a whole number from 1, or the output is not of numbers (BOOL,
 *   FP16, BYTES) or has more than 1,000,000 elements
 */
export function classify(tensor: Tensor, name: string, { top, batched, labels = [] }: ClassificationOptions): Tensor {
  if (!Number.isInteger(top) || top < 1) {
    throw refuse(name, `classification is ${top}, not a whole number from 1`, { received: top, expected: '1 or more' });
  }
  if (tensor.datatype === 'BOOL' || tensor.datatype === 'FP16' || tensor.datatype === 'BYTES') {
    const sides = { received: tensor.datatype, expected: 'an integer type, FP32 or FP64' };
    throw refuse(name, `classification needs numbers, the output is ${tensor.datatype}`, sides);
  }
  if (tensor.data.length > maxElements) {
    const sides = { received: tensor.data.length, expected: maxElements };
    throw refuse(
      name,
      `classification takes at most ${maxElements} elements, the output has ${tensor.data.length}`,
      sides,
    );
  }
  const rows = batched ? (tensor.shape[0] ?? 1) : 1;
  const classes = batched ? elementCount(tensor.shape.slice(1)) : elementCount(tensor.shape);
  const isFloat = tensor.datatype === 'FP32' || tensor.datatype === 'FP64';
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const values = tensor.data.subarray(row * classes, (row + 1) * classes);
    for (const index of bestIndexes(values, top)) {
      const value = printValue(values[index] ?? Number.NaN, isFloat);
      const label = labels[index];
      texts.push(label === undefined ? `${value}:${index}` : `${value}:${index}:${label}`);
    }
  }
  const kept = Math.min(top, classes);
  return text(batched ? [rows, kept] : [kept], texts);
}

/**
 * Indexes of the greatest values, greatest first, equal values by index, NaN last. A native sort of the values alone tells the least value that is kept, which leaves few
 * indexes to sort by a comparison of ours.
 */
export function bestIndexes(values: NumericTensor['data'], top: number): number[] {
  const sorted = values.slice().sort();
  let numbers = sorted.length;
  while (numbers > 0 && Number.isNaN(sorted[numbers - 1])) numbers--;
  const least = sorted[Math.max(numbers - top, 0)] ?? Number.NaN;
  const above: { index: number; value: number | bigint }[] = [];
  const equal: number[] = [];
  const notNumbers: number[] = [];
  for (const [index, value] of values.entries()) {
    if (value > least) above.push({ index, value });
    else if (value === least) equal.push(index);
    else if (Number.isNaN(value)) notNumbers.push(index);
  }
  // The sort is stable, so that equal values stay in the order of their indexes.
  above.sort((left, right) => (left.value < right.value ? 1 : left.value > right.value ? -1 : 0));
  return [...above.map(({ index }) => index), ...equal, ...notNumbers].slice(0, top);
}

/** A value as C++ `std::to_string` prints it: `%f` for floats. */
function printValue(value: number | bigint, isFloat: boolean): string {
  if (!isFloat || typeof value === 'bigint') return String(value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  // `toFixed` changes to exponents from 1e21 on, where every double is a whole number.
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

function refuse(name: string, reason: string, sides: { received: unknown; expected: unknown }): AppError {
  const message = `Output "${name}": ${reason}`;
  return new AppError('MALFORMED_TENSOR', {
    message,
    ...sides,
    faults: [{ location: [name, 'classification'], type: 'invalid_classification', message }],
  });
}
