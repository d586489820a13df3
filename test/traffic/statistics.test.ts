import { describe, expect, test } from 'vitest';
import { mcnemarExact } from '../../src/traffic/mcnemar.ts';
import { wilson } from '../../src/traffic/wilson.ts';

describe("McNemar's exact test", () => {
  // scipy.stats.binomtest(min(b, c), b + c, 0.5).pvalue of SciPy 1.17.1
  test.each([
    [0, 0, 1],
    [1, 0, 1],
    [5, 5, 1],
    [6, 7, 1],
    [10, 2, 0.03857421875],
    [3, 12, 0.03515625],
    [0, 20, 1.9073486328125e-6],
    [150, 100, 0.0018833009350761602],
    [480, 520, 0.2174482932041415],
    [1000, 1200, 2.1817026407914194e-5],
    [5000, 5200, 0.04878796312682234],
    [40_000, 39_000, 0.00037894900970468265],
  ])('of %i and %i is that of SciPy', (b, c, p) => {
    expect(mcnemarExact(b, c) / p).toBeCloseTo(1, 9);
    expect(mcnemarExact(c, b)).toBe(mcnemarExact(b, c));
  });
});

describe("Wilson's interval", () => {
  // scipy.stats.binomtest(count, total).proportion_ci(0.95, 'wilson') of SciPy 1.17.1
  test.each([
    [95, 98, 0.9138297983152016, 0.9895351089175063],
    [0, 10, 0, 0.27753279986288926],
    [10, 10, 0.7224672001371109, 1],
    [1, 1, 0.20654931437723745, 1],
    [50, 1000, 0.03813026239274881, 0.06531382024425081],
    [99_999, 100_000, 0.9999433529034095, 0.9999982347522695],
  ])('of %i of %i is that of SciPy', (count, total, low, high) => {
    const share = wilson(count, total);
    expect(share.share).toBe(count / total);
    expect(share.low).toBeCloseTo(low, 12);
    expect(share.high).toBeCloseTo(high, 12);
  });

  test('of nothing is nothing', () => {
    expect(wilson(0, 0)).toEqual({ share: null, low: null, high: null });
  });
});
