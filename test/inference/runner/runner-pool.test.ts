import { expect, test } from 'vitest';
import type { RunOutcome } from '../../../src/inference/batcher/executor.ts';
import { RunnerPool } from '../../../src/inference/runner/pool/runner-pool.ts';
import type { RunnerEnd } from '../../../src/inference/runner/runner-end.ts';
import type { RunnerProcess } from '../../../src/inference/runner/runner-process.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { recordingLog } from '../models.ts';

/** A pool of one runner that ends when it is told, and whose next one takes so long to start. */
async function setUp({ startMs }: { startMs: number }) {
  const clock = new VirtualClock();
  const changes: boolean[] = [];
  let end = (_end: RunnerEnd) => {};
  let delayMs = 0;
  const start = () =>
    new Promise<RunnerProcess>((resolve) => {
      clock.setTimer(delayMs, () => {
        const exited = new Promise<RunnerEnd>((settle) => {
          end = settle;
        });
        const run = (): Promise<RunOutcome> => new Promise(() => {});
        // What a pool asks of a runner that does nothing.
        const runner = { exited, run, rssBytes: 0, pid: 1, currentRun: undefined, end: () => {}, kill: () => {} };
        resolve(runner as unknown as RunnerProcess);
      });
    });
  const pool = new RunnerPool({
    instances: 1,
    timeoutMs: 1_000,
    memoryLimitBytes: Number.POSITIVE_INFINITY,
    clock,
    log: recordingLog(),
    start,
    onRestart: () => {},
    onChange: () => changes.push(pool.health.ready),
  });
  const started = pool.slots[0]?.start();
  await clock.advance(1);
  await started;
  delayMs = startMs;
  changes.length = 0;
  const die = async (how: Partial<RunnerEnd>) => {
    end({ reason: 'it was ended by SIGFPE', crashed: true, requests: 1, ...how });
    await clock.advance(0);
  };
  return { clock, pool, changes, die };
}

test('a model is ready while the runner that an input crashed is started again, for five seconds', async () => {
  const { clock, pool, changes, die } = await setUp({ startMs: 7_000 });
  await die({});
  expect(pool.slots[0]?.accepts).toBe(false);
  await clock.advance(4_999);
  expect(pool.health).toEqual({ ready: true });
  await clock.advance(2);
  expect(pool.health).toEqual({ ready: false, reason: 'its runner is being replaced: it was ended by SIGFPE' });
  expect(changes.at(-1)).toBe(false);
  await clock.advance(3_000);
  expect(pool.health).toEqual({ ready: true });
  expect(changes.at(-1)).toBe(true);
});

test.each([
  ['a runner that something else ended', { crashed: false }],
  ['a runner that crashed in no run', { requests: 0 }],
])('a model is not ready without %s', async (_, how) => {
  const { pool, die } = await setUp({ startMs: 7_000 });
  await die(how);
  expect(pool.health).toMatchObject({ ready: false });
});
