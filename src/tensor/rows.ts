import { elementCount, type Tensor, type Tensors } from './tensor.ts';

/** A row is one index of the first dimension: batches are joined from rows and split into rows again. */

/** Elements of one row. */
export function rowElements(shape: readonly number[]): number {
  return elementCount(shape.slice(1));
}

/** The number of rows that all tensors have in common; undefined when they differ or one is a scalar. */
export function commonRows(tensors: Tensors): number | undefined {
  let common: number | undefined;
  for (const name in tensors) {
    const rows = tensors[name]?.shape[0];
    if (rows === undefined || (common !== undefined && rows !== common)) return undefined;
    common = rows;
  }
  return common;
}

/** Rows `start` to `end` (exclusive) as a view: the elements of fixed-size types are not copied. */
export function sliceRows(tensor: Tensor, start: number, end: number): Tensor {
  const elements = rowElements(tensor.shape);
  const from = start * elements;
  const to = end * elements;
  const data = tensor.datatype === 'BYTES' ? tensor.data.slice(from, to) : tensor.data.subarray(from, to);
  return { datatype: tensor.datatype, shape: [end - start, ...tensor.shape.slice(1)], data } as Tensor;
}

/** Rows `start` to `end` (exclusive) of every tensor. */
export function sliceAllRows(tensors: Tensors, start: number, end: number): Tensors {
  const slices: Record<string, Tensor> = Object.create(null);
  for (const [name, tensor] of Object.entries(tensors)) slices[name] = sliceRows(tensor, start, end);
  return slices;
}
