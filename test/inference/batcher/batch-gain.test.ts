import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BatchGain } from '../../../src/inference/batcher/cost/batch-gain.ts';

const bytesPerRow = 16;

/** The useful rows after that many full runs of a model with those run times. */
function learn(
  runMs: (rows: number) => number,
  { maxRows, runs }: { maxRows: number; runs: number },
  gain = new BatchGain(),
) {
  for (let i = 0; i < runs; i += 1) {
    const rows = gain.usefulRows(maxRows);
    gain.record({ rows, runMs: runMs(rows), bytesPerRow }, maxRows);
  }
  return gain;
}

describe('BatchGain', () => {
  test('fills batches as long as nothing is known', () => {
    expect(new BatchGain().usefulRows(32)).toBe(32);
  });

  test('fills the batches of a model that gains by every row', () => {
    expect(learn((rows) => 10 + 0.01 * rows, { maxRows: 32, runs: 100 }).usefulRows(32)).toBe(32);
  });

  test('keeps the batches of a model small that gains hardly anything by more rows', () => {
    expect(learn((rows) => 3 * rows, { maxRows: 32, runs: 100 }).usefulRows(32)).toBe(4);
  });

  test('runs a model singly whose rows become dearer in a batch', () => {
    expect(learn((rows) => rows * (1.7 + 0.1 * Math.log2(rows)), { maxRows: 6, runs: 100 }).usefulRows(6)).toBe(1);
  });

  test('tries large batches again after a while, because the model may have changed', () => {
    const gain = learn((rows) => 3 * rows, { maxRows: 32, runs: 100 });
    learn((rows) => 30 + 0.1 * rows, { maxRows: 32, runs: 2_000 }, gain);
    expect(gain.usefulRows(32)).toBe(32);
  });

  test('gives up trying a size for which there never are enough rows', () => {
    const gain = learn((rows) => 10 + rows, { maxRows: 32, runs: 3 });
    expect(gain.usefulRows(32)).toBe(16);
    for (let i = 0; i < 8; i += 1) gain.record({ rows: 2, runMs: 12, bytesPerRow }, 32);
    expect(gain.usefulRows(32)).toBe(32);
  });

  test('does not compare rows of different sizes', () => {
    const gain = learn((rows) => 3 * rows, { maxRows: 32, runs: 100 });
    gain.record({ rows: 4, runMs: 100, bytesPerRow: 2 * bytesPerRow }, 32);
    expect(gain.usefulRows(32)).toBe(32);
  });

  test('never asks for less than a row or more than are allowed', () => {
    const run = fc.record({
      rows: fc.integer({ min: 1, max: 64 }),
      runMs: fc.double({ min: 0, max: 1_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 200 }), fc.integer({ min: 1, max: 64 }), (runs, maxRows) => {
        const gain = new BatchGain();
        for (const { rows, runMs } of runs) gain.record({ rows, runMs, bytesPerRow }, maxRows);
        const useful = gain.usefulRows(maxRows);
        expect(useful).toBeGreaterThanOrEqual(1);
        expect(useful).toBeLessThanOrEqual(maxRows);
        expect(Number.isInteger(useful)).toBe(true);
      }),
    );
  });
});
