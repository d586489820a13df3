import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CostModel, fitLine } from '../../../src/inference/batcher/cost/cost-model.ts';

describe('CostModel', () => {
  test('knows nothing before the first run', () => {
    const cost = new CostModel();
    expect(cost.line).toBeUndefined();
    expect(cost.estimateMs(10)).toBe(0);
  });

  test('finds the line that runs lie on', () => {
    const line = { perRowMs: fc.integer({ min: 0, max: 50 }), perRunMs: fc.integer({ min: 0, max: 100 }) };
    const sizes = fc.uniqueArray(fc.integer({ min: 1, max: 64 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(fc.record(line), sizes, ({ perRowMs, perRunMs }, rows) => {
        const fitted = fitLine(rows.map((n) => ({ rows: n, runMs: perRowMs * n + perRunMs })));
        expect(fitted.perRowMs).toBeCloseTo(perRowMs, 6);
        expect(fitted.perRunMs).toBeCloseTo(perRunMs, 6);
      }),
    );
  });

  test('is hardly moved by runs that were held up by chance', () => {
    const cost = new CostModel();
    for (let i = 0; i < 64; i += 1) {
      const rows = 1 + (i % 16);
      cost.record(rows, i % 10 === 3 ? 5_000 : 2 * rows + 4, 0);
    }
    expect(cost.estimateMs(16)).toBeGreaterThan(0.9 * 36);
    expect(cost.estimateMs(16)).toBeLessThan(1.1 * 36);
  });

  test('follows a model that becomes slower', () => {
    const cost = new CostModel();
    for (let i = 0; i < 64; i += 1) cost.record(1 + (i % 4), 1, 0);
    for (let i = 0; i < 64; i += 1) cost.record(1 + (i % 4), 9, 0);
    expect(cost.estimateMs(2)).toBeCloseTo(9, 6);
  });

  test('keeps the slope that it knew while all runs have the same size', () => {
    const cost = new CostModel();
    for (let i = 0; i < 64; i += 1) cost.record(1 + (i % 8), 3 * (1 + (i % 8)) + 5, 0);
    for (let i = 0; i < 100; i += 1) cost.record(4, 17, 0);
    expect(cost.estimateMs(8)).toBeCloseTo(29, 6);
  });

  test('never predicts negative times', () => {
    const run = fc.record({ rows: fc.integer({ min: 1, max: 64 }), runMs: fc.integer({ min: 0, max: 1_000 }) });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 64 }), (runs) => {
        const { perRowMs, perRunMs } = fitLine(runs);
        expect(perRowMs).toBeGreaterThanOrEqual(0);
        expect(perRunMs).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
