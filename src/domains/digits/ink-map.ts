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
  const { width, height } = raster;
  const { difference, noise } = fitBackground(raster);
  return { width, height, data: stretch(difference, inkPolarity(difference), Math.floor(noiseReach * noise)) };
}

/** 1 if the ink is lighter than the paper, -1 if darker: the side with more squared difference, which noise has not. */
function inkPolarity(signed: Int16Array): 1 | -1 {
  let [lighter, darker] = [0, 0];
  for (let i = 0; i < signed.length; i++) {
    const value = signed[i] ?? 0;
    if (value > 0) lighter += value * value;
    else darker += value * value;
  }
  return lighter >= darker ? 1 : -1;
}

/** Spreads the levels between the noise of the paper and the full ink over 0 to 255. */
function stretch(signed: Int16Array, polarity: 1 | -1, noiseLevel: number): Uint8Array {
  const ink = new Uint8Array(signed.length);
  const histogram = new Uint32Array(256);
  for (let i = 0; i < ink.length; i++) {
    const level = polarity * (signed[i] ?? 0);
    if (level <= noiseLevel) continue;
    const clamped = level > 255 ? 255 : level;
    ink[i] = clamped;
    histogram[clamped] = (histogram[clamped] ?? 0) + 1;
  }
  const fullInk = highLevel(histogram, otsuThreshold(histogram));
  if (fullInk < Math.max(leastContrast, noiseLevel + 1)) return ink.fill(0);
  const stretched = new Uint8Array(256);
  for (let level = noiseLevel + 1; level < 256; level++) {
    stretched[level] = Math.min(255, Math.floor(((level - noiseLevel) * 255) / (fullInk - noiseLevel) + 0.5));
  }
  for (let i = 0; i < ink.length; i++) {
    const level = ink[i] ?? 0;
    if (level !== 0) ink[i] = stretched[level] ?? 0;
  }
  return ink;
}

/** The level that best splits a histogram in two (N. Otsu, 1979): the most variance between the classes. */
function otsuThreshold(histogram: Uint32Array): number {
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
function highLevel(histogram: Uint32Array, threshold: number): number {
  const above = histogram.reduce((sum, pixels, level) => (level > threshold ? sum + pixels : sum), 0);
  let reached = 0;
  for (let level = 255; level > threshold; level--) {
    reached += histogram[level] ?? 0;
    if (reached > 0 && reached * 10 >= above) return level;
  }
  return 0;
}
