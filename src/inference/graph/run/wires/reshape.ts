import { typedArrays } from '../../../../tensor/data-type.ts';
import { rowElements } from '../../../../tensor/rows.ts';
import { elementCount, type Tensor } from '../../../../tensor/tensor.ts';

/** The same elements in rows of another shape; undefined when a row has not as many. At most one other dimension is -1. */
export function reshapeRows(tensor: Tensor, shape: readonly number[]): Tensor | undefined {
  const elements = rowElements(tensor.shape);
  const ofRow = shape.slice(1);
  const free = ofRow.indexOf(-1);
  if (free !== -1) {
    const others = ofRow.reduce((product, dimension, axis) => (axis === free ? product : product * dimension), 1);
    ofRow[free] = others === 0 ? 0 : elements / others;
  }
  const isWhole = ofRow.every((dimension) => Number.isInteger(dimension) && dimension >= 0);
  if (!isWhole || elementCount(ofRow) !== elements) return undefined;
  return { ...tensor, shape: [tensor.shape[0] ?? 1, ...ofRow] };
}

/** The elements of those indexes of the last axis; undefined when it is shorter. */
export function pickColumns(tensor: Tensor, columns: readonly number[]): Tensor | undefined {
  const width = tensor.shape.at(-1);
  if (width === undefined || columns.some((column) => column >= width)) return undefined;
  const lines = elementCount(tensor.shape.slice(0, -1));
  const shape = [...tensor.shape.slice(0, -1), columns.length];
  return withElements(tensor, shape, (index) => {
    const line = Math.floor(index / columns.length);
    return line < lines ? line * width + (columns[index % columns.length] ?? 0) : 0;
  });
}

/** A row as often as there are rows. It shares no memory with the row. */
export function repeatRow(row: Tensor, rows: number): Tensor {
  const elements = rowElements(row.shape);
  return withElements(row, [rows, ...row.shape.slice(1)], (index) => index % elements);
}

/** A view of a row costs as much as to copy some dozens of elements one by one. */
const viewFromElements = 32;

/** The rows of those indexes, in their order. */
export function takeRows(tensor: Tensor, rows: readonly number[]): Tensor {
  const elements = rowElements(tensor.shape);
  const shape = [rows.length, ...tensor.shape.slice(1)];
  if (tensor.datatype === 'BYTES') {
    return withElements(tensor, shape, (index) => {
      const row = rows[Math.floor(index / elements)] ?? 0;
      return row * elements + (index % elements);
    });
  }
  const data = new typedArrays[tensor.datatype](rows.length * elements);
  for (let to = 0; to < rows.length; to += 1) {
    const from = (rows[to] ?? 0) * elements;
    if (elements >= viewFromElements) {
      // Both have the same data type, which the type system cannot see through a union.
      data.set(tensor.data.subarray(from, from + elements) as never, to * elements);
      continue;
    }
    for (let at = 0; at < elements; at += 1) data[to * elements + at] = tensor.data[from + at] as never;
  }
  return { datatype: tensor.datatype, shape, data } as Tensor;
}

/** A copy that shares no memory with the tensor. */
export function copyTensor(tensor: Tensor): Tensor {
  return { ...tensor, data: tensor.data.slice() } as Tensor;
}

/** A tensor of elements of another: which one stands at an index. */
function withElements(tensor: Tensor, shape: readonly number[], from: (index: number) => number): Tensor {
  const count = elementCount(shape);
  const { datatype, data } = tensor;
  if (datatype === 'BYTES') {
    return { datatype, shape, data: Array.from({ length: count }, (_, index) => data[from(index)] ?? '') };
  }
  const picked = new typedArrays[datatype](count);
  for (let index = 0; index < count; index += 1) {
    // Numbers or big ones alike: both arrays have the same data type.
    picked[index] = data[from(index)] as never;
  }
  return { datatype, shape, data: picked } as Tensor;
}
