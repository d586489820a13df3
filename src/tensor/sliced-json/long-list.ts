/**
 * A list of JSON that is too long for one array: to put it together would take its time and its memory once more, and one
 * text among millions of numbers would have V8 box them all.
 */
export class LongList implements Iterable<unknown> {
  readonly length: number;
  /** The elements in order. */
  readonly pieces: readonly (readonly unknown[])[];

  constructor(pieces: readonly (readonly unknown[])[]) {
    this.pieces = pieces;
    this.length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  *[Symbol.iterator](): Iterator<unknown> {
    for (const piece of this.pieces) yield* piece;
  }
}

/** A list as it comes out of JSON, short or long. */
export type JsonList = readonly unknown[] | LongList;

export function isJsonList(value: unknown): value is JsonList {
  return Array.isArray(value) || value instanceof LongList;
}

/** The list as short ones, in order. */
export function piecesOf(list: JsonList): readonly (readonly unknown[])[] {
  return list instanceof LongList ? list.pieces : [list];
}
