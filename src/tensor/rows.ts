import { type DataType, typedArrays } from './data-type.ts';
import { elementCount, type Tensor } from './tensor.ts';

/** Elements of one row, which is one index of the first dimension. */
export function rowElements(shape: readonly number[]): number {
  let elements = 1;
  for (let axis = 1; axis < shape.length; axis += 1) elements *= shape[axis] ?? 1;
  return elements;
}

/** The rows that all tensors have; 0 when they differ, one is a scalar, or there is none. */
export function commonRows(tensors: readonly Tensor[]): number {
  const rows = tensors[0]?.shape[0] ?? 0;
  return tensors.every((tensor) => tensor.shape[0] === rows) ? rows : 0;
}

/** Rows `start` to `end` (exclusive) as a view; only texts are copied. */
export function sliceRows(tensor: Tensor, start: number, end: number): Tensor {
  const elements = rowElements(tensor.shape);
  return sliceElements(tensor, [end - start, ...tensor.shape.slice(1)], start * elements, end * elements);
}

/** Elements `from` to `to` (exclusive) as a view of the given shape; only texts are copied. */
export function sliceElements(tensor: Tensor, shape: readonly number[], from: number, to: number): Tensor {
  const data = tensor.datatype === 'BYTES' ? tensor.data.slice(from, to) : tensor.data.subarray(from, to);
  return { datatype: tensor.datatype, shape, data } as Tensor;
}

/** One tensor of the rows of all, in order; they must have the same data type and the same other dimensions. */
export function concatenateRows(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new RangeError('there are no tensors to concatenate');
  const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  return { datatype: first.datatype, shape, data: concatenate(first.datatype, shape, tensors) } as Tensor;
}

function concatenate(datatype: DataType, shape: readonly number[], tensors: readonly Tensor[]): Tensor['data'] {
  if (datatype === 'BYTES') return tensors.flatMap((tensor) => (tensor.datatype === 'BYTES' ? tensor.data : []));
  const whole = new typedArrays[datatype](elementCount(shape));
  let offset = 0;
  for (const { data } of tensors) {
    // All have the data type of the whole, which the type system cannot see through a union.
    whole.set(data as never, offset);
    offset += data.length;
  }
  return whole;
}
