/**
 * The value below which a share of the values lies, by the nearest rank.
 *
 * @param share from 0 to 1
 * @returns NaN if there are no values
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** How much a value grows in a minute: the slope of the line of least squares through its samples. */
export function slopePerMinute(samples: readonly { readonly atMs: number; readonly value: number }[]): number {
  const mean = (of: (sample: { atMs: number; value: number }) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [meanMs, meanValue] = [mean(({ atMs }) => atMs), mean(({ value }) => value)];
  const covariance = mean(({ atMs, value }) => (atMs - meanMs) * (value - meanValue));
  return (60_000 * covariance) / mean(({ atMs }) => (atMs - meanMs) ** 2);
}
