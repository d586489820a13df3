import { areaAverage, type Grid } from './area-average.ts';
import type { GreyRaster } from './grey-raster.ts';
import { mapInk } from './ink-map.ts';
import { keepStrokes } from './keep-strokes.ts';

/** The model's picture is 28 pixels a side, the digit's longer side 20, as in MNIST. */
export const digitSidePx = 28;
const boxSidePx = 20;
/** Index of the pixel that gets the centre of mass; measured over MNIST it is 14.0 both ways. */
const centrePx = 14;

/**
 * Brings the digit of any picture into the form of MNIST (Y. LeCun, C. Cortes, C. Burges): ink 255 on paper 0, its
 * longer side 20 pixels, its centre of mass in the middle of 28 x 28. A blank picture gives all zeros.
 *
 * `training/digit_picture.py` computes the same, byte for byte: keep both in step.
 */
export function normaliseDigit(raster: GreyRaster): Uint8Array {
  const strokes = crop(keepStrokes(mapInk(raster)));
  if (strokes === undefined) return new Uint8Array(digitSidePx * digitSidePx);
  const longest = Math.max(strokes.width, strokes.height);
  const width = Math.max(1, Math.floor((strokes.width * boxSidePx) / longest + 0.5));
  const height = Math.max(1, Math.floor((strokes.height * boxSidePx) / longest + 0.5));
  return centred({ width, height, data: inked(areaAverage(strokes, width, height).data) });
}

/** The smallest part that holds all ink; undefined if there is none. */
function crop({ width, height, data }: GreyRaster): Grid | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, row = 0; y < height; y++, row += width) {
    let first = 0;
    while (first < width && data[row + first] === 0) first++;
    if (first === width) continue;
    let last = width - 1;
    while (data[row + last] === 0) last--;
    left = Math.min(left, first);
    right = Math.max(right, last);
    top = Math.min(top, y);
    bottom = y;
  }
  if (right < 0) return undefined;
  const across = right - left + 1;
  const down = bottom - top + 1;
  const part = new Float64Array(across * down);
  for (let row = 0; row < down; row++) {
    const start = (top + row) * width + left;
    part.set(data.subarray(start, start + across), row * across);
  }
  return { width: across, height: down, data: part };
}

/**
 * Gives thin strokes, which averaging leaves faint, full ink: a quarter of the pixels that carry a stroke reach 255.
 * Strokes as thick as MNIST's stay as they are.
 */
function inked(data: Float64Array): Uint8Array {
  const most = data.reduce((high, ink) => Math.max(high, ink), 0);
  const strokes = data.filter((ink) => ink * 4 >= most).sort();
  const full = strokes[Math.floor((strokes.length * 3) / 4)] ?? 255;
  return Uint8Array.from(data, (ink) => Math.min(255, Math.floor((ink * 255) / full + 0.5)));
}

/** Puts the digit, at most 20 pixels a side, on an empty picture by its centre of mass. */
function centred({ width, height, data }: GreyRaster): Uint8Array {
  let [mass, massX, massY] = [0, 0, 0];
  data.forEach((ink, pixel) => {
    mass += ink;
    massX += ink * (pixel % width);
    massY += ink * Math.floor(pixel / width);
  });
  const left = Math.min(digitSidePx - width, Math.max(0, Math.floor(centrePx - massX / mass + 0.5)));
  const top = Math.min(digitSidePx - height, Math.max(0, Math.floor(centrePx - massY / mass + 0.5)));
  const picture = new Uint8Array(digitSidePx * digitSidePx);
  for (let row = 0; row < height; row++) {
    picture.set(data.subarray(row * width, (row + 1) * width), (top + row) * digitSidePx + left);
  }
  return picture;
}
