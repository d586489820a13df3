import { type Coefficients, coefficientBits, type Stretch } from './coefficients.ts';

const half = 1 << (coefficientBits - 1);

/** Pixels row by row, as far as a pass needs them. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  /** Column and row of the whole picture that the pixels begin with. */
  readonly left: number;
  readonly top: number;
}

/**
 * Makes each row narrower or wider.
 *
 * @param rows those of the source that are wanted
 */
export function resampleRows(source: Pixels, columns: Coefficients, rows: Stretch): Pixels {
  const { first, counts, weights, taps } = columns;
  const { data } = source;
  const width = first.length;
  const result = new Uint8ClampedArray(width * rows.count * 3);
  const rowBytes = source.width * 3;
  // Two rows at a time share the weights, which are then read once for both. An odd last row is its own partner.
  for (let row = 0; row < rows.count; row += 2) {
    const isPair = row + 1 < rows.count;
    const below = isPair ? rowBytes : 0;
    const begin = ((rows.from - source.top + row) * source.width - source.left) * 3;
    let to = row * width * 3;
    const toBelow = isPair ? width * 3 : 0;
    for (let column = 0; column < width; column++) {
      let at = begin + (first[column] ?? 0) * 3;
      let tap = column * taps;
      const end = tap + (counts[column] ?? 0);
      let red = half;
      let green = half;
      let blue = half;
      let redBelow = half;
      let greenBelow = half;
      let blueBelow = half;
      for (; tap < end; tap++) {
        const weight = weights[tap] ?? 0;
        const atBelow = at + below;
        red += Math.imul(data[at] ?? 0, weight);
        green += Math.imul(data[at + 1] ?? 0, weight);
        blue += Math.imul(data[at + 2] ?? 0, weight);
        redBelow += Math.imul(data[atBelow] ?? 0, weight);
        greenBelow += Math.imul(data[atBelow + 1] ?? 0, weight);
        blueBelow += Math.imul(data[atBelow + 2] ?? 0, weight);
        at += 3;
      }
      result[to] = red >> coefficientBits;
      result[to + 1] = green >> coefficientBits;
      result[to + 2] = blue >> coefficientBits;
      result[to + toBelow] = redBelow >> coefficientBits;
      result[to + toBelow + 1] = greenBelow >> coefficientBits;
      result[to + toBelow + 2] = blueBelow >> coefficientBits;
      to += 3;
    }
  }
  return { data: result, width, left: 0, top: rows.from };
}

/**
 * Makes each column shorter or longer.
 *
 * @param columns those of the source that are wanted
 */
export function resampleColumns(source: Pixels, rows: Coefficients, columns: Stretch): Pixels {
  const { first, counts, weights, taps } = rows;
  const { data } = source;
  const height = first.length;
  const bytes = columns.count * 3;
  const result = new Uint8ClampedArray(bytes * height);
  const sums = new Int32Array(bytes);
  for (let row = 0; row < height; row++) {
    sums.fill(half);
    const begin = (first[row] ?? 0) - source.top;
    const count = counts[row] ?? 0;
    for (let tap = 0; tap < count; tap++) {
      const weight = weights[row * taps + tap] ?? 0;
      const at = ((begin + tap) * source.width + columns.from - source.left) * 3;
      for (let byte = 0; byte < bytes; byte++) {
        sums[byte] = (sums[byte] ?? 0) + Math.imul(data[at + byte] ?? 0, weight);
      }
    }
    const to = row * bytes;
    for (let byte = 0; byte < bytes; byte++) result[to + byte] = (sums[byte] ?? 0) >> coefficientBits;
  }
  return { data: result, width: columns.count, left: columns.from, top: 0 };
}
