import type { SlicedWork } from '../../timing/sliced-work.ts';
import { tensorToNested } from '../json/json-output.ts';
import { rowElements, sliceElements, sliceRows } from '../rows.ts';
import type { Tensor } from '../tensor.ts';

/** So many elements are written at once. */
const elementsPerPiece = 16_384;

/** From so many elements on, outputs are written in pieces. */
const largeFromElements = 4 * elementsPerPiece;

/** JSON in pieces of UTF-8, and binary sections behind it, for an answer that is too large to be written at once. */
export class JsonPieces {
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces;
    this.byteLength = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}

/** So many texts are encoded at once: each is that of a piece, or a bracket. */
const textsPerStep = 8;

/** Texts that follow each other, as bytes. */
export function* encodeTexts(texts: readonly string[]): SlicedWork<JsonPieces> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  for (const text of texts) {
    pieces.push(encoder.encode(text));
    if (pieces.length % textsPerStep === 0) yield undefined;
  }
  return new JsonPieces(pieces);
}

/** Whether outputs are so many elements that they are to be written in pieces. */
export function areLarge(outputs: readonly Tensor[]): boolean {
  return outputs.reduce((sum, { data }) => sum + data.length, 0) >= largeFromElements;
}

/**
 * The JSON of a tensor as nested lists, in pieces that follow each other.
 *
 * @param toValue makes of a tensor what `JSON.stringify` writes: a list of its rows, each for itself. @default the elements
 */
export function* tensorText(
  tensor: Tensor,
  toValue: (tensor: Tensor) => unknown = tensorToNested,
): SlicedWork<string[]> {
  const { shape, data } = tensor;
  if (data.length <= elementsPerPiece || shape.length === 0) return [JSON.stringify(toValue(tensor))];
  const rows = shape[0] ?? 0;
  const elements = rowElements(shape);
  const texts: string[] = [];
  if (elements > elementsPerPiece) {
    for (let row = 0; row < rows; row += 1) {
      texts.push(row === 0 ? '[' : ',');
      const inner = sliceElements(tensor, shape.slice(1), row * elements, (row + 1) * elements);
      for (const text of yield* tensorText(inner, toValue)) texts.push(text);
    }
  } else {
    const step = Math.floor(elementsPerPiece / elements);
    for (let start = 0; start < rows; start += step) {
      const text = JSON.stringify(toValue(sliceRows(tensor, start, Math.min(rows, start + step))));
      texts.push((start === 0 ? '[' : ',') + text.slice(1, -1));
      yield undefined;
    }
  }
  texts.push(']');
  return texts;
}

/** The JSON of an object, in pieces. */
export function* objectText(
  members: Iterable<readonly [name: string, value: SlicedWork<string[]>]>,
): SlicedWork<string[]> {
  const texts: string[] = [];
  for (const [name, value] of members) {
    texts.push(`${texts.length === 0 ? '{' : ','}${JSON.stringify(name)}:`);
    for (const text of yield* value) texts.push(text);
  }
  texts.push(texts.length === 0 ? '{}' : '}');
  return texts;
}
