import type { Filter } from './filters.ts';

/** Bits after the point of a coefficient: 8 of a level, and 2 for what overshoots, are left of 32. */
export const coefficientBits = 22;

/** A stretch of places of the result along one axis. */
export interface Stretch {
  readonly from: number;
  readonly count: number;
}

/** Which pixels of the source make each pixel of a stretch of the result, along one axis. */
export interface Coefficients {
  /** First pixel of the source, for each of the result. */
  readonly first: Int32Array;
  /** How many from there. */
  readonly counts: Int32Array;
  /** Their weights, `taps` places for each pixel of the result; the places that it does not need are zero. */
  readonly weights: Int32Array;
  readonly taps: number;
}

/**
 * Pillow's weights, in fixed point: `precompute_coeffs` and `normalize_coeffs_8bpc` of its `Resample.c`.
 *
 * @param sourceSize pixels of the source along the axis
 * @param resultSize pixels of the whole result
 * @param stretch those that are wanted
 */
export function computeCoefficients(
  { support, weight }: Filter,
  sourceSize: number,
  resultSize: number,
  { from, count }: Stretch,
): Coefficients {
  const scale = sourceSize / resultSize;
  const filterScale = Math.max(scale, 1);
  const reach = support * filterScale;
  const taps = Math.ceil(reach) * 2 + 1;
  const inverse = 1 / filterScale;
  const first = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * taps);
  const exact = new Float64Array(taps);
  for (let at = 0; at < count; at++) {
    const centre = (from + at + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - reach + 0.5));
    const length = Math.min(sourceSize, Math.trunc(centre + reach + 0.5)) - begin;
    let sum = 0;
    for (let tap = 0; tap < length; tap++) {
      const value = weight((tap + begin - centre + 0.5) * inverse);
      exact[tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < length; tap++) {
      const value = exact[tap] ?? 0;
      weights[at * taps + tap] = toFixedPoint(sum === 0 ? value : value / sum);
    }
    first[at] = begin;
    counts[at] = length;
  }
  return { first, counts, weights, taps };
}

function toFixedPoint(weight: number): number {
  const scaled = weight * 2 ** coefficientBits;
  return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

/** The pixels of the source that the coefficients need. */
export function neededSource({ first, counts }: Coefficients): Stretch {
  const from = first[0] ?? 0;
  const last = first.length - 1;
  return { from, count: (first[last] ?? 0) + (counts[last] ?? 0) - from };
}
