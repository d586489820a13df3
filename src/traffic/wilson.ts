/** The part of a whole, with the ends of its 95 % interval; null where there is nothing. */
export interface Share {
  readonly share: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** The quantile of the normal distribution that leaves 2.5 % on each side. */
const z = 1.959963984540054;

/**
 * The part `count` of `total`, with Wilson's interval.
 *
 * Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
 */
export function wilson(count: number, total: number): Share {
  if (total === 0) return { share: null, low: null, high: null };
  const share = count / total;
  const scale = 1 + z ** 2 / total;
  const center = (share + z ** 2 / (2 * total)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  // At the ends, rounding would leave them by its last digit.
  return { share, low: count === 0 ? 0 : center - half, high: count === total ? 1 : center + half };
}
