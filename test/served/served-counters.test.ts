import { describe, expect, it } from 'vitest';
import { ServedCounters } from '../../src/served/served-counters.ts';

const took = { totalMs: 4, encodeMs: 1, timings: { queueMs: 1, batchMs: 0, inferMs: 2 } };

describe('ServedCounters', () => {
  it('has what is counted of each version by itself', () => {
    const served = new ServedCounters(() => 5);
    served.recordSuccess('iris', '1', took);
    served.recordFailure('iris', '2', 'QUEUE_FULL', 3);
    served.recordRun('iris', '1', { rows: 2, maxRows: 4, runMs: 2 });
    const [one, two] = [served.of('iris', '1'), served.of('iris', '2')];
    expect([one?.total.count, one?.failures.size, one?.lastInferenceMs]).toEqual([1, 0, 5]);
    expect(one?.runs.get(2)).toMatchObject({ count: 1, ms: 2 });
    expect([two?.total.count, two?.failures.get('QUEUE_FULL')]).toEqual([
      0,
      expect.objectContaining({ count: 1, ms: 3 }),
    ]);
    expect(served.of('iris', '3')).toBeUndefined();
  });

  it('keeps no name that no model has, and forgets versions that are gone', () => {
    const served = new ServedCounters();
    served.recordRefusal('guess', 'MODEL_NOT_FOUND');
    served.recordRefusal('iris', 'MODEL_NOT_READY');
    expect(served.refused()).toEqual([{ labels: { model: 'iris', version: '', code: 'MODEL_NOT_READY' }, count: 1 }]);
    served.recordSuccess('iris', '1', took);
    served.recordSuccess('iris', '2', took);
    served.follow(() => [{ name: 'iris', versions: [{ version: '2' }, { version: '3' }] }]);
    served.forgetGone();
    expect(served.of('iris', '1')).toBeUndefined();
    expect(served.of('iris', '2')?.total.count).toBe(1);
    expect(served.versions().map(({ labels }) => labels.version)).toEqual(['2', '3']);
    served.follow(() => []);
    expect(served.refused()).toEqual([]);
  });
});
