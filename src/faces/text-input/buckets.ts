const buckets = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512] as const;
const step = 256;

/**
 * The length that a row of tokens is padded to, so that rows of nearly one length can share a run: few lengths for many
 * runs in common, near each other for little padding.
 *
 * @param most which no row is longer than
 */
export function bucketOf(length: number, most: number): number {
  const bucket = buckets.find((candidate) => candidate >= length) ?? Math.ceil(length / step) * step;
  return Math.min(bucket, Math.max(most, length));
}
