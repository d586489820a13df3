import type { Tensor } from '../tensor.ts';

/** A number that `JSON.stringify` writes as its text stands. */
export interface RawJson {
  readonly rawJSON: string;
}

declare global {
  // The typings of TypeScript lack it: https://tc39.es/proposal-json-parse-with-source/#sec-json.rawjson
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
  }
}

/** An element as `JSON.stringify` takes it. */
export type JsonElement = number | string | boolean | RawJson;

/** Nested lists of elements, or the bare element of a scalar. */
export type Nested<Element> = Element | readonly Nested<Element>[];
export type NestedJson = Nested<JsonElement>;

/**
 * The elements of a tensor in row-major order, for `JSON.stringify` (generated serialisers do not know `JSON.rawJSON`).
 * Written and read back they are the same bits, but for the payload of a NaN.
 *
 * 64-bit integers have all their digits, BOOL is true or false, and -0 is `-0.0`, for Python reads `-0` as the integer 0.
 * Since JSON has no token for them, numbers that are not finite are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`:
 * NumPy's `array(data, dtype)` and `Float32Array.from` read them, where `null` would become 0 in JavaScript.
 */
export function tensorToJson(tensor: Tensor): JsonElement[] {
  switch (tensor.datatype) {
    case 'BYTES':
      return tensor.data.slice();
    case 'BOOL':
      return Array.from(tensor.data, (bit) => bit !== 0);
    case 'INT64':
    case 'UINT64':
      return bigNumbers(tensor.data);
    case 'FP16': {
      const { buffer, byteOffset, length } = tensor.data;
      return floats(new Float16Array(buffer, byteOffset, length));
    }
    case 'FP32':
    case 'FP64':
      return floats(tensor.data);
    default:
      return wholeNumbers(tensor.data);
  }
}

/** The elements as {@link tensorToJson} gives them, nested to the rank of the tensor; the bare value of a scalar. */
export function tensorToNested(tensor: Tensor): NestedJson {
  return nestElements(tensorToJson(tensor), tensor.shape);
}

/** Elements in row-major order, nested as the shape says; the bare element where the shape is that of a scalar. */
export function nestElements<Element>(elements: readonly Element[], shape: readonly number[]): Nested<Element> {
  let level: readonly Nested<Element>[] = elements;
  for (const [axis, size] of [...shape.entries()].toReversed()) {
    const lists: Nested<Element>[] = [];
    const count = shape.slice(0, axis).reduce((product, length) => product * length, 1);
    for (let index = 0; index < count; index++) lists.push(level.slice(index * size, (index + 1) * size));
    level = lists;
  }
  const [whole] = level;
  if (whole === undefined) throw new RangeError('A scalar has one element');
  return whole;
}

function wholeNumbers(data: Iterable<number>): JsonElement[] {
  const elements: JsonElement[] = [];
  // Array.from takes eight times as long.
  for (const value of data) elements.push(value);
  return elements;
}

function floats(data: Float16Array | Float32Array | Float64Array): JsonElement[] {
  const elements: JsonElement[] = [];
  for (const value of data) {
    const isPlain = Number.isFinite(value) && !Object.is(value, -0);
    elements.push(isPlain ? value : spell(value));
  }
  return elements;
}

function spell(value: number): JsonElement {
  return Number.isFinite(value) ? JSON.rawJSON('-0.0') : String(value);
}

function bigNumbers(data: BigInt64Array | BigUint64Array): JsonElement[] {
  const elements: JsonElement[] = [];
  for (const value of data) {
    const number = Number(value);
    elements.push(Number.isSafeInteger(number) ? number : JSON.rawJSON(String(value)));
  }
  return elements;
}
