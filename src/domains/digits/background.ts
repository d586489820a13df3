import type { GreyRaster } from './grey-raster.ts';

/** The paper behind the ink: its grey as a plane over the picture, since light often falls from one side. */
export interface Background {
  /** How much lighter than the paper each pixel is; the grey level of the paper is rounded. */
  readonly difference: Int16Array;
  /** Mean distance of the paper's own pixels from the plane, in grey levels. */
  readonly noise: number;
}

/** Coefficients of grey = level + across * X + down * Y, where X = 2x - width + 1 and Y likewise: integers around 0. */
interface Plane {
  readonly level: number;
  readonly across: number;
  readonly down: number;
}

/** The edge of a picture is mostly paper: a frame of a twentieth of its shorter side is taken for it. */
const frameShare = 1 / 20;
/** Fits after the first leave out what is far from the plane, which is ink that reaches the edge. */
const refits = 2;

/** Pixels and their grey; a pixel is placed as a plane has it, by integers around the middle of the picture. */
interface Pixels {
  readonly count: number;
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly grey: Uint8Array;
}

/** Fits the background to the pixels along the edge by least squares. */
export function fitBackground(raster: GreyRaster): Background {
  const frame = framePixels(raster);
  let kept = frame;
  let plane = fitPlane(kept);
  for (let refit = 0; refit < refits; refit++) {
    kept = nearPlane(plane, frame);
    plane = fitPlane(kept);
  }
  return { difference: differenceFrom(plane, raster), noise: meanDistance(plane, kept) };
}

function differenceFrom({ level, across, down }: Plane, { width, height, data }: GreyRaster): Int16Array {
  const ofColumn = Float64Array.from({ length: width }, (_, x) => level + across * (2 * x - width + 1));
  const difference = new Int16Array(data.length);
  for (let y = 0, pixel = 0; y < height; y++) {
    const ofRow = down * (2 * y - height + 1);
    for (let x = 0; x < width; x++, pixel++) {
      difference[pixel] = (data[pixel] ?? 0) - Math.floor((ofColumn[x] ?? 0) + ofRow + 0.5);
    }
  }
  return difference;
}

/** The pixels of the frame, from the top left. */
function framePixels({ width, height, data }: GreyRaster): Pixels {
  const band = Math.max(1, Math.floor(Math.min(width, height) * frameShare));
  const inner = Math.max(0, width - 2 * band) * Math.max(0, height - 2 * band);
  const pixels = emptyPixels(data.length - inner);
  let count = 0;
  for (let y = 0; y < height; y++) {
    const isInner = y >= band && y < height - band;
    for (let x = 0; x < width; x++) {
      if (isInner && x === band && width > 2 * band) x = width - band;
      pixels.x[count] = 2 * x - width + 1;
      pixels.y[count] = 2 * y - height + 1;
      pixels.grey[count] = data[y * width + x] ?? 0;
      count++;
    }
  }
  return { ...pixels, count };
}

function emptyPixels(most: number): Pixels {
  return { count: 0, x: new Int32Array(most), y: new Int32Array(most), grey: new Uint8Array(most) };
}

/** Those that are no farther from the plane than twice the mean. */
function nearPlane(plane: Plane, all: Pixels): Pixels {
  const farthest = 2 * meanDistance(plane, all) + 1;
  const near = emptyPixels(all.count);
  let count = 0;
  for (let i = 0; i < all.count; i++) {
    if (distance(plane, all, i) > farthest) continue;
    near.x[count] = all.x[i] ?? 0;
    near.y[count] = all.y[i] ?? 0;
    near.grey[count] = all.grey[i] ?? 0;
    count++;
  }
  return { ...near, count };
}

function fitPlane(pixels: Pixels): Plane {
  const { count } = pixels;
  let [x1, y1, v1, xx, xy, yy, xv, yv] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const x = pixels.x[i] ?? 0;
    const y = pixels.y[i] ?? 0;
    const value = pixels.grey[i] ?? 0;
    x1 += x;
    y1 += y;
    v1 += value;
    xx += x * x;
    xy += x * y;
    yy += y * y;
    xv += x * value;
    yv += y * value;
  }
  // Normal equations with the level eliminated.
  const sxx = xx - (x1 * x1) / count;
  const sxy = xy - (x1 * y1) / count;
  const syy = yy - (y1 * y1) / count;
  const sxv = xv - (x1 * v1) / count;
  const syv = yv - (y1 * v1) / count;
  const determinant = sxx * syy - sxy * sxy;
  // Pixels on one line carry no plane.
  if (determinant <= 1e-6 * sxx * syy) return { level: v1 / count, across: 0, down: 0 };
  const across = (sxv * syy - syv * sxy) / determinant;
  const down = (syv * sxx - sxv * sxy) / determinant;
  return { level: (v1 - across * x1 - down * y1) / count, across, down };
}

function meanDistance(plane: Plane, pixels: Pixels): number {
  let sum = 0;
  for (let i = 0; i < pixels.count; i++) sum += distance(plane, pixels, i);
  return sum / pixels.count;
}

/** How far the grey of a pixel is from the plane. */
function distance({ level, across, down }: Plane, { x, y, grey }: Pixels, index: number): number {
  const expected = Math.floor(level + across * (x[index] ?? 0) + down * (y[index] ?? 0) + 0.5);
  return Math.abs((grey[index] ?? 0) - expected);
}
