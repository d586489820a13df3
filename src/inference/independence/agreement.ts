import { shapeText } from '../../tensor/check-signature.ts';
import { rowElements } from '../../tensor/rows.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * How far an element of a joined run may lie from the same element of a run alone: `relative` of its value, and
 * `ofLargest` of the largest value of the output, since values near zero are often differences of large ones.
 */
interface Tolerance {
  readonly relative: number;
  readonly ofLargest: number;
}

// ONNX Runtime multiplies matrices of one row and of several by different kernels, which add in another order; the
// rounding errors of a deep network grow to some hundred times the precision of its type.
const tolerances: Partial<Readonly<Record<Tensor['datatype'], Tolerance>>> = {
  FP16: { relative: 1e-2, ofLargest: 2e-3 },
  FP32: { relative: 1e-4, ofLargest: 1e-5 },
  FP64: { relative: 1e-9, ofLargest: 1e-10 },
};

/**
 * Why the rows of a joined run are not those of the runs alone, in a clause; undefined if they agree. Whole numbers and
 * texts agree when they are equal, floats within the rounding that another order of additions explains.
 *
 * @param alone outputs of each distinct row, run by itself
 * @param scale what small values are measured by: the largest of the output, or of their place along its last axis, so
 *   that large numbers in one column hide no difference in another; that takes several rows alone
 * @param order which of the distinct rows stand in the joined run, one behind the other; undefined for one that is not compared
 */
export function disagreement(
  outputNames: readonly string[],
  alone: readonly (readonly Tensor[])[],
  joined: readonly Tensor[],
  order: readonly (number | undefined)[],
  scale: 'output' | 'column' = 'output',
): string | undefined {
  for (const [index, name] of outputNames.entries()) {
    const output = joined[index];
    if (output === undefined) return `output ${JSON.stringify(name)} is missing`;
    if (output.shape[0] !== order.length) {
      return `output ${JSON.stringify(name)} has the shape ${shapeText(output.shape)} for ${order.length} rows`;
    }
    const single = alone.map((outputs) => outputs[index]);
    const largest = scale === 'column' ? largestByColumn(single) : [largestOf(single)];
    for (const [row, distinct] of order.entries()) {
      if (distinct === undefined) continue;
      const expected = single[distinct];
      if (expected === undefined) return `output ${JSON.stringify(name)} is missing`;
      const clause = rowDisagreement(expected, output, row, largest);
      if (clause !== undefined) return `output ${JSON.stringify(name)} ${clause}`;
    }
  }
  return undefined;
}

function rowDisagreement(
  expected: Tensor,
  joined: Tensor,
  row: number,
  largest: readonly number[],
): string | undefined {
  const [, ...rest] = joined.shape;
  if (expected.shape[0] !== 1 || !sameShape(expected.shape.slice(1), rest)) {
    return `has the shape ${shapeText(expected.shape)} for a row alone and ${shapeText([1, ...rest])} beside others`;
  }
  const count = rowElements(joined.shape);
  const tolerance = tolerances[expected.datatype];
  const [one, other] = [elementsOf(expected), elementsOf(joined)];
  for (let i = 0; i < count; i += 1) {
    const [a, b] = [one[i], other[row * count + i]];
    if (a === b) continue;
    if (tolerance === undefined || typeof a !== 'number' || typeof b !== 'number') return differs(a, b);
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return differs(a, b);
    if (Math.abs(a - b) <= tolerance.relative * Math.abs(a) + tolerance.ofLargest * (largest[i % largest.length] ?? 0))
      continue;
    return differs(a, b);
  }
  return undefined;
}

function differs(alone: unknown, joined: unknown): string {
  return `is ${textOf(alone)} alone and ${textOf(joined)} beside others`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** The largest finite absolute value of floats at each place of the last axis; of all where rows are single values. */
function largestByColumn(tensors: readonly (Tensor | undefined)[]): number[] {
  const shape = tensors[0]?.shape ?? [];
  const columns = shape.length > 1 ? (shape.at(-1) ?? 1) : 1;
  const largest = new Array<number>(Math.max(1, columns)).fill(0);
  for (const tensor of tensors) {
    if (tensor === undefined || tolerances[tensor.datatype] === undefined) continue;
    for (const [index, element] of elementsOf(tensor).entries()) {
      const value = Math.abs(Number(element));
      const column = index % largest.length;
      if (value > (largest[column] ?? 0) && value < Number.POSITIVE_INFINITY) largest[column] = value;
    }
  }
  return largest;
}

/** The largest finite absolute value of floats; 0 for other types. */
function largestOf(tensors: readonly (Tensor | undefined)[]): number {
  let largest = 0;
  for (const tensor of tensors) {
    if (tensor === undefined || tolerances[tensor.datatype] === undefined) continue;
    for (const element of elementsOf(tensor)) {
      const value = Math.abs(Number(element));
      if (value > largest && value < Number.POSITIVE_INFINITY) largest = value;
    }
  }
  return largest;
}

/** The elements as values; those of FP16 are kept as bits. */
function elementsOf({ datatype, data }: Tensor): Float16Array | Tensor['data'] {
  return datatype === 'FP16' ? new Float16Array(data.buffer, data.byteOffset, data.length) : data;
}

/** Whether no output tells the rows apart. */
export function allEqual(alone: readonly (readonly Tensor[])[]): boolean {
  const [first, ...others] = alone;
  return others.every((outputs) => outputs.every((output, index) => sameTensor(output, first?.[index])));
}

function sameTensor(a: Tensor, b: Tensor | undefined): boolean {
  if (b === undefined || !sameShape(a.shape, b.shape)) return false;
  for (let i = 0; i < a.data.length; i += 1) if (!sameElement(a.data[i], b.data[i])) return false;
  return true;
}

/** Zeros of either sign are equal, and so is what is no number. */
function sameElement(a: string | number | bigint | undefined, b: string | number | bigint | undefined): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
