/**
 * McNemar's exact test of two classifiers on the same cases: how likely chance alone makes them differ at least so much,
 * if both are right equally often. It is the exact binomial test of `b` in `b + c` at a half, on both sides.
 *
 * Source: McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12 (1947).
 *
 * @param b cases that the one alone has right
 * @param c cases that the other alone has right
 * @returns from 0 to 1; 1 where there is no such case
 */
export function mcnemarExact(b: number, c: number): number {
  const cases = b + c;
  const fewer = Math.min(b, c);
  if (b === c) return 1;
  // Of the largest part alone there is a logarithm; it would be 0 for a thousand cases otherwise.
  let logarithm = -cases * Math.LN2;
  for (let index = 1; index <= fewer; index += 1) logarithm += Math.log((cases - fewer + index) / index);
  let sum = 0;
  let part = 1;
  for (let count = fewer; count >= 0; count -= 1) {
    sum += part;
    part *= count / (cases - count + 1);
  }
  return Math.min(1, 2 * Math.exp(logarithm) * sum);
}
