const usualBuckets = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512] as const;
const step = 256;

/**
 * The length that a row of tokens is padded to, so that rows of nearly one length can share a run: few lengths for many
 * runs in common, near each other for little padding.
 *
 * @param most which no row is longer than
 * @param own lengths in ascending order; a row that is longer than all of them is padded to `most`. @default from 8 to 512, then
 *   multiples of 256
 */
export function bucketOf(length: number, most: number, own?: readonly number[]): number {
  const beyond = own === undefined ? Math.ceil(length / step) * step : most;
  const bucket = (own ?? usualBuckets).find((candidate) => candidate >= length) ?? beyond;
  return Math.min(bucket, Math.max(most, length));
}
