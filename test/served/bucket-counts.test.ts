import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BucketCounts } from '../../src/served/bucket-counts.ts';

describe('BucketCounts', () => {
  it('counts a value in the bucket whose bound it does not exceed', () => {
    const counts = new BucketCounts([1, 2, 4]);
    for (const value of [0, 1, 1.5, 2, 4, 5, Number.POSITIVE_INFINITY]) counts.observe(value);
    expect(counts.cumulative()).toEqual([2, 4, 5, 7]);
    expect(counts.count).toBe(7);
  });

  it('counts every value once', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: 0, max: 100 })), (values) => {
        const counts = new BucketCounts([0.5, 10, 50]);
        for (const value of values) counts.observe(value);
        const expected = [0.5, 10, 50, 100].map((bound) => values.filter((value) => value <= bound).length);
        expect(counts.cumulative()).toEqual(expected);
        expect(counts.sum).toBeCloseTo(values.reduce((sum, value) => sum + value, 0));
      }),
    );
  });
});
