import { fitBackground } from './background.ts';
import type { GreyRaster } from './grey-raster.ts';

/** Paper noise reaches about four times its mean distance from the plane. */
const noiseReach = 4;
/** A picture whose strongest ink differs less than this from its paper is blank: compression alone differs by less. */
const leastContrast = 12;

/**
 * How much ink is at each pixel: 0 is paper, 255 full ink, whether the ink is darker or lighter than the paper.
 * All zero for a blank picture.
 */
export function mapInk(raster: GreyRaster): GreyRaster {
  const { width, height, data } = raster;
  const background = fitBackground(raster);
  const signed = new Int16Array(data.length);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) signed[pixel] = (data[pixel] ?? 0) - background.levelAt(x, y);
  }
  const polarity = inkPolarity(signed);
  const difference = new Uint8Array(data.length);
  for (let pixel = 0; pixel < difference.length; pixel++) {
    difference[pixel] = Math.min(255, Math.max(0, polarity * (signed[pixel] ?? 0)));
  }
  return { width, height, data: stretch(difference, Math.floor(noiseReach * background.noise)) };
}

/** 1 if the ink is lighter than the paper, -1 if darker: the side with more squared difference, which noise has not. */
function inkPolarity(signed: Int16Array): 1 | -1 {
  let balance = 0;
  for (const value of signed) balance += value * Math.abs(value);
  return balance >= 0 ? 1 : -1;
}

/** Spreads the levels between the noise of the paper and the full ink over 0 to 255. */
function stretch(difference: Uint8Array, noiseLevel: number): Uint8Array {
  const histogram = new Float64Array(256);
  for (const level of difference) if (level > noiseLevel) histogram[level] = (histogram[level] ?? 0) + 1;
  const fullInk = highLevel(histogram, otsuThreshold(histogram));
  if (fullInk < Math.max(leastContrast, noiseLevel + 1)) return new Uint8Array(difference.length);
  const range = fullInk - noiseLevel;
  return difference.map((level) => {
    return Math.min(255, Math.max(0, Math.floor(((level - noiseLevel) * 255) / range + 0.5)));
  });
}

/** The level that best splits a histogram in two (N. Otsu, 1979): the most variance between the classes. */
function otsuThreshold(histogram: Float64Array): number {
  const count = histogram.reduce((sum, pixels) => sum + pixels, 0);
  const total = histogram.reduce((sum, pixels, level) => sum + pixels * level, 0);
  let [threshold, mostVariance, countBelow, totalBelow] = [0, 0, 0, 0];
  for (let level = 0; level < 256; level++) {
    countBelow += histogram[level] ?? 0;
    totalBelow += (histogram[level] ?? 0) * level;
    if (countBelow === 0 || countBelow === count) continue;
    const distance = totalBelow / countBelow - (total - totalBelow) / (count - countBelow);
    const variance = countBelow * (count - countBelow) * distance * distance;
    if (variance <= mostVariance) continue;
    mostVariance = variance;
    threshold = level;
  }
  return threshold;
}

/** The level that a tenth of the pixels above `threshold` reach; 0 if there are none. */
function highLevel(histogram: Float64Array, threshold: number): number {
  const above = histogram.reduce((sum, pixels, level) => (level > threshold ? sum + pixels : sum), 0);
  let reached = 0;
  for (let level = 255; level > threshold; level--) {
    reached += histogram[level] ?? 0;
    if (reached > 0 && reached * 10 >= above) return level;
  }
  return 0;
}
