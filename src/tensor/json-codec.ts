import { type ElementRows, tensorFromRows } from './json-elements.ts';
import { malformedTensor, quote, quoteShape } from './malformed-tensor.ts';
import { describePath } from './refuse-element.ts';
import type { Tensor, TensorSpec } from './tensor.ts';
import { checkHeader, maxRank, type TensorHeader, type TensorLimits } from './tensor-header.ts';

/** A tensor as the Open Inference Protocol writes it in JSON. */
export interface JsonTensor extends TensorHeader {
  /** Flat, or nested as the shape says; a scalar may stand without a list. Parsed by `parseJson`. */
  readonly data: unknown;
}

/**
 * Reads a tensor of the Open Inference Protocol. Nothing is coerced: a value that the type cannot hold is refused, but
 * for floats, which are rounded to the nearest of their type. `docs/tensors.md` has the rules.
 *
 * @see https://github.com/kserve/open-inference-protocol (Tensor Data)
 * @throws AppError `MALFORMED_TENSOR` for an unknown data type, a bad or too large shape, data that does not have that
 *   shape, and an element of another type or out of range
 */
export function tensorFromJson({ datatype, shape, data }: JsonTensor, name: string, limits?: TensorLimits): Tensor {
  const header = checkHeader({ datatype, shape }, name, limits);
  if (shape.length > 0 && Array.isArray(data) && Array.isArray(firstOf(data))) {
    return tensorFromRows(header.datatype, shape, nestedRows(data, shape, { name, path: ['data'] }));
  }
  if (shape.length === 0 && !Array.isArray(data)) {
    return tensorFromRows(header.datatype, shape, { name, rows: [[data]], pathOf: () => ['data'] });
  }
  if (!Array.isArray(data)) {
    throw malformedTensor(name, {
      path: ['data'],
      type: 'invalid_type',
      message: `data is ${quote(data)}, not a list`,
      received: quote(data),
      expected: 'a list',
    });
  }
  if (data.length !== header.count) {
    throw malformedTensor(name, {
      path: ['data'],
      type: 'shape_mismatch',
      message: `data has ${data.length} elements, the shape ${quoteShape(shape)} has ${header.count}`,
      received: data.length,
      expected: header.count,
    });
  }
  return tensorFromRows(header.datatype, shape, { name, rows: [data], pathOf: (index) => ['data', index] });
}

/**
 * Reads a tensor from nested lists alone; the lists give the shape, and the lists of one level have one length.
 * A scalar is a bare value. An empty list takes the dimensions below it from the specification, or zero where they are free.
 *
 * @param value parsed by `parseJson`
 * @param spec gives the data type, the rank and the fixed dimensions. An empty shape takes any rank, for ONNX Runtime
 *   shows it for a scalar and for an unknown rank alike
 * @param name of the input, for errors
 * @throws AppError `MALFORMED_TENSOR` for ragged lists, a shape other than that of the specification, too large a
 *   tensor, and an element of another type or out of range
 */
export function tensorFromNested(value: unknown, spec: TensorSpec, name: string, limits?: TensorLimits): Tensor {
  const shape = inferShape(value, spec.shape);
  const fits = shape.length === spec.shape.length && spec.shape.every((size, axis) => size < 0 || size === shape[axis]);
  if (spec.shape.length > 0 && !fits) {
    throw malformedTensor(name, {
      type: 'shape_mismatch',
      message: `the lists have the shape ${quoteShape(shape)}, the model takes ${quoteShape(spec.shape)}`,
      received: shape,
      expected: spec.shape,
    });
  }
  const { datatype } = checkHeader({ datatype: spec.datatype, shape }, name, limits);
  return tensorFromRows(datatype, shape, nestedRows(value, shape, { name, path: [] }));
}

/**
 * The first element. Not by `list[0]`: where V8 has seen lists of numbers and lists of anything else, it turns the list of
 * numbers into one of boxed numbers for such a load, and copying it then takes thirty times as long.
 */
function firstOf(list: readonly unknown[]): unknown {
  for (const element of list) return element;
  return undefined;
}

/** Follows the first element of each level; {@link nestedRows} holds the others against it. */
function inferShape(value: unknown, specShape: readonly number[]): number[] {
  const shape: number[] = [];
  let level = value;
  while (Array.isArray(level) && shape.length <= maxRank) {
    shape.push(level.length);
    if (level.length === 0) return [...shape, ...specShape.slice(shape.length).map((size) => Math.max(size, 0))];
    level = firstOf(level);
  }
  return shape;
}

/** The innermost lists, in order, after checking the length of every list. */
function nestedRows(value: unknown, shape: readonly number[], { name, path }: ListPlace): ElementRows {
  const pathOf = (index: number) => [...path, ...indexesOf(index, shape)];
  if (shape.length === 0) return { name, rows: [[value]], pathOf };
  let rows = checkLists([value], shape, { axis: 0, name, path });
  for (let axis = 1; axis < shape.length; axis++) {
    const inner: unknown[] = [];
    for (const row of rows) for (const element of row) inner.push(element);
    rows = checkLists(inner, shape, { axis, name, path });
  }
  return { name, rows, pathOf };
}

interface ListPlace {
  readonly name: string;
  readonly path: readonly (string | number)[];
}

function checkLists(
  values: readonly unknown[],
  shape: readonly number[],
  { axis, name, path }: ListPlace & { axis: number },
): (readonly unknown[])[] {
  const length = shape[axis];
  const lists: (readonly unknown[])[] = [];
  for (const value of values) {
    if (!Array.isArray(value) || value.length !== length) {
      const place = [...path, ...indexesOf(lists.length, shape.slice(0, axis))];
      const received = Array.isArray(value) ? `a list of ${value.length}` : quote(value);
      throw malformedTensor(name, {
        path: place,
        type: 'shape_mismatch',
        message: `${describePath(place)} is ${received}, not a list of ${length}`,
        received,
        expected: `a list of ${length}`,
      });
    }
    lists.push(value);
  }
  return lists;
}

/** The index on each axis of the element that stands at this place in row-major order. */
function indexesOf(index: number, shape: readonly number[]): number[] {
  const indexes: number[] = [];
  let rest = index;
  for (const size of shape.toReversed()) {
    indexes.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return indexes;
}
