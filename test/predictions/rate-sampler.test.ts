import { describe, expect, it } from 'vitest';
import { RateSampler } from '../../src/predictions/recording/rate-sampler.ts';

/** The same numbers from 0 to 1 in every run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Which of the requests that come at an even rate are kept, by their times in milliseconds. */
function keptOf(sampler: RateSampler, { perSecond, seconds, rows = 1, fromMs = 0 }: Arrivals): number[] {
  const times = Array.from({ length: perSecond * seconds }, (_, index) => fromMs + (index * 1000) / perSecond);
  return times.filter((timeMs) => sampler.take(rows, timeMs));
}

interface Arrivals {
  readonly perSecond: number;
  readonly seconds: number;
  readonly rows?: number;
  readonly fromMs?: number;
}

describe('a rate sampler', () => {
  it('keeps everything below the bound', () => {
    const sampler = new RateSampler(100, seededRandom(1));
    expect(keptOf(sampler, { perSecond: 99, seconds: 10 })).toHaveLength(990);
  });

  it('keeps as many as the bound says above it, and the burst of a second at the start', () => {
    const sampler = new RateSampler(100, seededRandom(2));
    const kept = keptOf(sampler, { perSecond: 20_000, seconds: 20 });
    expect(kept.length).toBeGreaterThan(1800);
    expect(kept.length).toBeLessThanOrEqual(2100);
  });

  it('gives every part of a second the same chance', () => {
    const sampler = new RateSampler(1000, seededRandom(3));
    keptOf(sampler, { perSecond: 20_000, seconds: 3 });
    const kept = keptOf(sampler, { perSecond: 20_000, seconds: 30, fromMs: 3000 });
    const byTenth = Map.groupBy(kept, (timeMs) => Math.floor(timeMs / 100) % 10);
    expect(byTenth.size).toBe(10);
    for (const [, ofTenth] of byTenth) expect(ofTenth.length / kept.length).toBeCloseTo(0.1, 1);
  });

  it('counts the rows of a request, and keeps it whole or not at all', () => {
    const sampler = new RateSampler(100, seededRandom(4));
    const kept = keptOf(sampler, { perSecond: 1000, seconds: 60, rows: 50 });
    const rows = kept.length * 50;
    expect(rows).toBeGreaterThan(4500);
    expect(rows).toBeLessThan(6500);
  });

  it('keeps a request with more rows than a second may have, and pays for it with the next seconds', () => {
    const sampler = new RateSampler(10, seededRandom(5));
    expect(sampler.take(100, 0)).toBe(true);
    expect(sampler.take(1, 5000)).toBe(false);
    expect(sampler.take(1, 9900)).toBe(true);
  });

  it('takes up again after a quiet time', () => {
    const sampler = new RateSampler(10, seededRandom(6));
    keptOf(sampler, { perSecond: 1000, seconds: 2 });
    expect(keptOf(sampler, { perSecond: 5, seconds: 2, fromMs: 60_000 })).toHaveLength(10);
  });
});
