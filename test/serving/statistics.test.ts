import { describe, expect, it } from 'vitest';
import { noTimings } from '../../src/inference/timings.ts';
import { ServedCounters } from '../../src/served/served-counters.ts';
import { Statistics } from '../../src/serving/statistics.ts';

const timings = { ...noTimings, queueMs: 1, inferMs: 2, batchMs: 0.5 };

describe('Statistics', () => {
  it('adds up what each version has done', () => {
    const served = new ServedCounters(() => 1_700_000_000_000);
    const statistics = new Statistics(served);
    served.recordSuccess('iris', '1', { totalMs: 4, encodeMs: 0.25, timings });
    served.recordSuccess('iris', '1', { totalMs: 6, encodeMs: 0.25, timings });
    served.recordFailure('iris', '1', 'QUEUE_FULL', 3);
    served.recordRun('iris', '1', { rows: 3, maxRows: 4, runMs: 2 });
    served.recordRun('iris', '1', { rows: 1, maxRows: 4, runMs: 1 });
    served.recordRun('iris', '1', { rows: 3, maxRows: 4, runMs: 4 });

    expect(statistics.of('iris', '1')).toEqual({
      lastInferenceMs: 1_700_000_000_000,
      inferenceCount: 7,
      executionCount: 3,
      success: { count: 2, ns: 10_000_000 },
      fail: { count: 1, ns: 3_000_000 },
      queue: { count: 2, ns: 2_000_000 },
      computeInput: { count: 2, ns: 500_000 },
      computeInfer: { count: 2, ns: 4_000_000 },
      computeOutput: { count: 2, ns: 1_000_000 },
      cacheHit: { count: 0, ns: 0 },
      cacheMiss: { count: 0, ns: 0 },
      batches: [
        { rows: 1, computeInfer: { count: 1, ns: 1_000_000 } },
        { rows: 3, computeInfer: { count: 2, ns: 6_000_000 } },
      ],
    });
  });

  it('keeps versions apart, and knows nothing of what never served', () => {
    const served = new ServedCounters();
    const statistics = new Statistics(served);
    served.recordFailure('iris', '2', 'INTERNAL', 1);
    expect(statistics.of('iris', '2').fail.count).toBe(1);
    expect(statistics.of('iris', '1')).toMatchObject({ lastInferenceMs: 0, executionCount: 0, batches: [] });
    expect(statistics.of('constructor', '__proto__').success).toEqual({ count: 0, ns: 0 });
  });
});
