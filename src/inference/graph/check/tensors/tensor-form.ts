import { shapeText } from '../../../../tensor/check-signature.ts';
import type { TensorSpec } from '../../../../tensor/tensor.ts';

/** Data type and shape of a tensor that no name belongs to. An empty shape is an unknown rank. */
export type TensorForm = Omit<TensorSpec, 'name'>;

export type Shape = readonly number[];

/** As in `INT64 [-1,4]`; a shape of unknown rank is left out. */
export function formText({ datatype, shape }: TensorForm): string {
  return shape.length === 0 ? datatype : `${datatype} ${shapeText(shape)}`;
}

/** What both shapes allow: -1 and k give k, an unknown rank fits all. Undefined when they exclude each other. */
export function unifyShapes(a: Shape, b: Shape): Shape | undefined {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  if (a.length !== b.length) return undefined;
  const unified: number[] = [];
  for (const [axis, size] of a.entries()) {
    const other = b[axis] ?? -1;
    if (size !== -1 && other !== -1 && size !== other) return undefined;
    unified.push(size === -1 ? other : size);
  }
  return unified;
}

/** The same data type with what both shapes allow. Names of dimensions stay where both have the same. */
export function unifyForms(a: TensorForm, b: TensorForm): TensorForm | undefined {
  if (a.datatype !== b.datatype) return undefined;
  const shape = unifyShapes(a.shape, b.shape);
  if (shape === undefined) return undefined;
  const { datatype, dimensions } = a;
  const sameNames = dimensions !== undefined && b.dimensions?.join() === dimensions.join();
  return { datatype, shape, ...(sameNames && { dimensions }) };
}

/** Whether the first dimension may count rows. */
export function hasRows({ shape }: TensorForm): boolean {
  return shape.length === 0 || shape[0] === -1;
}
