import type { SlicedWork } from '../../timing/sliced-work.ts';
import { JsonPieces } from './write-sliced-json.ts';

/** A piece is written when there are so many characters of it. */
const pieceLength = 64 * 1024;

/**
 * The JSON of an object with a long list, in pieces.
 *
 * @param others members beside it, which are short
 * @param name of the member with the list
 * @param items are made one by one, as they are written
 */
export function* listPieces(others: object, name: string, items: Iterable<unknown>): SlicedWork<JsonPieces> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  const beginning = JSON.stringify(others).slice(0, -1);
  let text = `${beginning}${beginning.length > 1 ? ',' : ''}${JSON.stringify(name)}:[`;
  let separator = '';
  for (const item of items) {
    text += separator + JSON.stringify(item);
    separator = ',';
    if (text.length >= pieceLength) {
      pieces.push(encoder.encode(text));
      text = '';
    }
    yield;
  }
  pieces.push(encoder.encode(`${text}]}`));
  return new JsonPieces(pieces);
}
