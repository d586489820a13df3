import { describe, expect, test } from 'vitest';
import { Batcher } from '../../../src/inference/batcher/batcher.ts';
import { defaultPriorityLevel } from '../../../src/inference/priority.ts';
import { float32 } from '../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { VirtualRunner } from './virtual-runner.ts';

const maxSize = 8;
const runner = { perRowMs: 1, perRunMs: 10 };
const capacityPerMs = maxSize / (runner.perRowMs * maxSize + runner.perRunMs);
const durationMs = 4_000;

/** Sends single rows at a fixed rate, and counts how they end. Runs that begin while the machine stalls take `stallMs` more. */
async function overload(timesCapacity: number, timeoutMs: number, instances: number, stallMs = 0) {
  const clock = new VirtualClock();
  const model = {
    ...runner,
    get perRunMs() {
      const isStalling = clock.now() > 1_000 && clock.now() < 1_050;
      return isStalling ? runner.perRunMs + stallMs : runner.perRunMs;
    },
  };
  const batcher = new Batcher(
    { maxSize, maxDelayMs: 0, maxQueueRows: 100_000, maxQueueBytes: 1e9 },
    {
      clock,
      executors: Array.from({ length: instances }, () => new VirtualRunner(clock, model)),
      defer: (callback) => void clock.setTimer(0, callback),
    },
  );
  const ends = { inTime: 0, refused: 0, late: 0 };
  const requests = Math.floor(durationMs * capacityPerMs * instances * timesCapacity);
  const arrive = (i: number) => {
    if (i + 1 < requests) clock.setTimer(durationMs / requests, () => arrive(i + 1));
    batcher.submit({
      inputs: [float32([1], [i])],
      outputs: [0],
      group: '',
      rows: 1,
      bytes: 4,
      level: defaultPriorityLevel,
      deadlineMs: clock.now() + timeoutMs,
      signal: new AbortController().signal,
      resolve: () => {
        ends.inTime += 1;
      },
      reject: ({ code }) => {
        if (code === 'DEADLINE_UNREACHABLE') ends.refused += 1;
        else ends.late += 1;
      },
    });
  };
  arrive(0);
  await clock.advance(durationMs + 10 * timeoutMs);
  return { ...ends, requests, possible: durationMs * capacityPerMs * instances };
}

describe('at three times the capacity', () => {
  test.each([
    [100, 1],
    [500, 1],
    [500, 3],
  ])(
    'with deadlines of %d ms and %d runners, the runners stay busy with requests that are answered in time',
    async (timeoutMs, instances) => {
      const { inTime, refused, late, requests, possible } = await overload(3, timeoutMs, instances);
      expect(inTime + refused + late).toBe(requests);
      expect(inTime).toBeGreaterThan(0.9 * possible);
      expect(late).toBeLessThan(0.02 * requests);
    },
  );
});

test('a stall at three times the capacity costs hardly more than the time that it takes', async () => {
  const stallMs = 80;
  const { inTime, possible } = await overload(3, 100, 1, stallMs);
  expect(inTime).toBeGreaterThan(0.9 * possible * (1 - (3 * stallMs) / durationMs));
});

test('at half the capacity nobody is refused', async () => {
  const { inTime, requests } = await overload(0.5, 100, 1);
  expect(inTime).toBe(requests);
});
