import type { Tensors } from '../../tensor/tensor.ts';
import { toCodes } from './normalize-text.ts';
import type { Text } from './schemas.ts';

/** Texts are padded to one of a few lengths, so that requests can share a run. What is longer is cut. */
const paddedLengths = [64, 256, 1024, 4096, 16_384] as const;
const maxLength = 16_384;

export function encode(texts: readonly Text[]): Tensors {
  const codes = texts.map(({ text }) => toCodes(text).slice(0, maxLength));
  const longest = Math.max(...codes.map((row) => row.length));
  const length = paddedLengths.find((candidate) => candidate >= longest) ?? maxLength;
  const data = new Int32Array(texts.length * length);
  codes.forEach((row, index) => {
    data.set(row, index * length);
  });
  return { codes: { datatype: 'INT32', shape: [texts.length, length], data } };
}
