import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexByChance, stabilityIndex } from '../../../src/predictions/performance/stability-index.ts';

const counts = (bins: number) => fc.array(fc.nat(10_000), { minLength: bins, maxLength: bins });
const pairs = fc.integer({ min: 1, max: 20 }).chain((bins) => fc.tuple(counts(bins), counts(bins)));

describe('the population stability index', () => {
  it('is what the formula gives', () => {
    // Shares 0.5 and 0.5 against 0.25 and 0.75, from samples so large that smoothing does not show.
    const expected = (0.25 - 0.5) * Math.log(0.25 / 0.5) + (0.75 - 0.5) * Math.log(0.75 / 0.5);
    expect(stabilityIndex([5e8, 5e8], [2.5e8, 7.5e8])).toBeCloseTo(expected, 8);
    expect(expected).toBeCloseTo(0.2747, 4);
  });

  it('is a finite number from 0, also with empty bins', () => {
    fc.assert(
      fc.property(pairs, ([reference, current]) => {
        const index = stabilityIndex(reference, current);
        expect(Number.isFinite(index)).toBe(true);
        expect(index).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('is 0 for the same counts, and the same both ways round', () => {
    fc.assert(
      fc.property(pairs, ([reference, current]) => {
        expect(stabilityIndex(reference, reference)).toBe(0);
        expect(stabilityIndex(reference, current)).toBeCloseTo(stabilityIndex(current, reference), 10);
      }),
    );
  });

  it('does not depend on the order of the bins', () => {
    fc.assert(
      fc.property(pairs, ([reference, current]) => {
        const turned = stabilityIndex(reference.toReversed(), current.toReversed());
        expect(turned).toBeCloseTo(stabilityIndex(reference, current), 10);
      }),
    );
  });

  it('grows the more has moved to another bin', () => {
    const moved = [0, 100, 200, 400].map((count) => stabilityIndex([500, 500], [500 - count, 500 + count]));
    expect(moved).toEqual(moved.toSorted((a, b) => a - b));
    expect(new Set(moved).size).toBe(4);
  });

  it('is on average what chance makes of it when nothing has moved', () => {
    let state = 7;
    const random = () => {
      state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
      return state / 2 ** 32;
    };
    const counted = (size: number) => {
      const bins = new Array<number>(10).fill(0);
      for (let draw = 0; draw < size; draw += 1) {
        const bin = Math.floor(random() * 10);
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
      return bins;
    };
    const indices = Array.from({ length: 400 }, () => stabilityIndex(counted(1000), counted(500)));
    const average = indices.reduce((sum, index) => sum + index, 0) / indices.length;
    expect(average).toBeGreaterThan(0.024);
    expect(average).toBeLessThan(0.03);
    expect(indexByChance(10, 1000, 500)).toBeCloseTo(0.027, 6);
    expect(indexByChance(10, 0, 500)).toBeNull();
  });
});
