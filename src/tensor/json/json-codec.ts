import { finish, type SlicedWork } from '../../timing/sliced-work.ts';
import { malformedTensor, quote, quoteShape } from '../malformed-tensor.ts';
import { isJsonList, type JsonList, piecesOf } from '../sliced-json/long-list.ts';
import type { Tensor, TensorSpec } from '../tensor.ts';
import { checkHeader, maxRank, type TensorHeader, type TensorLimits } from '../tensor-header.ts';
import { type ElementRows, tensorFromRows } from './json-elements.ts';
import { describePath } from './refuse-element.ts';

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
export function tensorFromJson(json: JsonTensor, name: string, limits?: TensorLimits): Tensor {
  return finish(readJsonTensor(json, name, limits));
}

/** As {@link tensorFromJson}, of any size. */
export function* readJsonTensor(
  { datatype, shape, data }: JsonTensor,
  name: string,
  limits?: TensorLimits,
): SlicedWork<Tensor> {
  const header = checkHeader({ datatype, shape }, name, limits);
  if (shape.length > 0 && isJsonList(data) && isJsonList(firstOf(data))) {
    const rows = yield* nestedRows(data, shape, { name, path: ['data'] });
    return yield* tensorFromRows(header.datatype, shape, rows);
  }
  if (shape.length === 0 && !isJsonList(data)) {
    return yield* tensorFromRows(header.datatype, shape, { name, rows: [[data]], pathOf: () => ['data'] });
  }
  if (!isJsonList(data)) {
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
  const elements = { name, rows: piecesOf(data), pathOf: (index: number) => ['data', index] };
  return yield* tensorFromRows(header.datatype, shape, elements);
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
  return finish(readNestedTensor(value, spec, name, limits));
}

/** As {@link tensorFromNested}, of any size. */
export function* readNestedTensor(
  value: unknown,
  spec: TensorSpec,
  name: string,
  limits?: TensorLimits,
): SlicedWork<Tensor> {
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
  const rows = yield* nestedRows(value, shape, { name, path: [] });
  return yield* tensorFromRows(datatype, shape, rows);
}

/**
 * The first element. Not by `list[0]`: where V8 has seen lists of numbers and lists of anything else, it turns the list of
 * numbers into one of boxed numbers for such a load, and copying it then takes thirty times as long.
 */
function firstOf(list: JsonList): unknown {
  for (const element of list) return element;
  return undefined;
}

/** Follows the first element of each level; {@link nestedRows} holds the others against it. */
function inferShape(value: unknown, specShape: readonly number[]): number[] {
  const shape: number[] = [];
  let level = value;
  while (isJsonList(level) && shape.length <= maxRank) {
    shape.push(level.length);
    if (level.length === 0) return [...shape, ...specShape.slice(shape.length).map((size) => Math.max(size, 0))];
    level = firstOf(level);
  }
  return shape;
}

/** So many lists are looked at before others may go on. */
const listsPerStep = 16_384;

/** The innermost lists, in order, after checking the length of every list. */
function* nestedRows(value: unknown, shape: readonly number[], place: ListPlace): SlicedWork<ElementRows> {
  const { name, path } = place;
  const pathOf = (index: number) => [...path, ...indexesOf(index, shape)];
  if (shape.length === 0) return { name, rows: [[value]], pathOf };
  let lists: JsonList[] = [checkList(value, shape, 0, { axis: 0, ...place })];
  for (let axis = 1; axis < shape.length; axis++) {
    const inner: JsonList[] = [];
    for (const list of lists) {
      for (const element of list) {
        inner.push(checkList(element, shape, inner.length, { axis, ...place }));
        if (inner.length % listsPerStep === 0) yield undefined;
      }
    }
    lists = inner;
  }
  const rows: (readonly unknown[])[] = [];
  for (const list of lists) for (const piece of piecesOf(list)) rows.push(piece);
  return { name, rows, pathOf };
}

interface ListPlace {
  readonly name: string;
  readonly path: readonly (string | number)[];
}

/** @param index counts the lists of the axis */
function checkList(
  value: unknown,
  shape: readonly number[],
  index: number,
  { axis, name, path }: ListPlace & { axis: number },
): JsonList {
  const length = shape[axis];
  if (isJsonList(value) && value.length === length) return value;
  const place = [...path, ...indexesOf(index, shape.slice(0, axis))];
  const received = isJsonList(value) ? `a list of ${value.length}` : quote(value);
  throw malformedTensor(name, {
    path: place,
    type: 'shape_mismatch',
    message: `${describePath(place)} is ${received}, not a list of ${length}`,
    received,
    expected: `a list of ${length}`,
  });
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
