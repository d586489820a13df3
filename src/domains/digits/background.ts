import type { GreyRaster } from './grey-raster.ts';

/** The paper behind the ink: its grey as a plane over the picture, since light often falls from one side. */
export interface Background {
  /** Grey level of the paper at a pixel, rounded. */
  levelAt(x: number, y: number): number;
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

/** Fits the background to the pixels along the edge by least squares. */
export function fitBackground(raster: GreyRaster): Background {
  const { width, height } = raster;
  const frame = framePixels(raster);
  let kept: readonly number[] = frame;
  let plane = fitPlane(kept, raster);
  for (let refit = 0; refit < refits; refit++) {
    const residuals = residualsOf(plane, frame, raster);
    const farthest = 2 * meanOf(residuals) + 1;
    kept = frame.filter((_, index) => (residuals[index] ?? 0) <= farthest);
    plane = fitPlane(kept, raster);
  }
  return {
    levelAt: (x, y) => levelAt(plane, 2 * x - width + 1, 2 * y - height + 1),
    noise: meanOf(residualsOf(plane, kept, raster)),
  };
}

/** Indices of the pixels of the frame, from the top left. */
function framePixels({ width, height }: GreyRaster): number[] {
  const band = Math.max(1, Math.floor(Math.min(width, height) * frameShare));
  const pixels: number[] = [];
  for (let y = 0; y < height; y++) {
    const isInner = y >= band && y < height - band;
    for (let x = 0; x < width; x++) {
      if (isInner && x === band && width > 2 * band) x = width - band;
      pixels.push(y * width + x);
    }
  }
  return pixels;
}

function fitPlane(pixels: readonly number[], { width, height, data }: GreyRaster): Plane {
  let [x1, y1, v1, xx, xy, yy, xv, yv] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (const pixel of pixels) {
    const x = 2 * (pixel % width) - width + 1;
    const y = 2 * Math.floor(pixel / width) - height + 1;
    const value = data[pixel] ?? 0;
    x1 += x;
    y1 += y;
    v1 += value;
    xx += x * x;
    xy += x * y;
    yy += y * y;
    xv += x * value;
    yv += y * value;
  }
  const count = pixels.length;
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

function levelAt(plane: Plane, x: number, y: number): number {
  return Math.floor(plane.level + plane.across * x + plane.down * y + 0.5);
}

function residualsOf(plane: Plane, pixels: readonly number[], { width, height, data }: GreyRaster): number[] {
  return pixels.map((pixel) => {
    const x = 2 * (pixel % width) - width + 1;
    const y = 2 * Math.floor(pixel / width) - height + 1;
    return Math.abs((data[pixel] ?? 0) - levelAt(plane, x, y));
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
