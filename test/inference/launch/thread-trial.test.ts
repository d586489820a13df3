import { describe, expect, test } from 'vitest';
import type { RunOutcome, RunRequest } from '../../../src/inference/batcher/executor.ts';
import { chooseThreads } from '../../../src/inference/launch/thread-trial.ts';
import { openModel } from '../models.ts';

/** A runner whose runs take as long as `runMs` says. */
function setUp(runMs: (rows: number, threads: number) => number) {
  const used = [1];
  const timed: { readonly rows: number; readonly threads: number }[] = [];
  const run = async ({ rows }: RunRequest): Promise<RunOutcome> => {
    const threads = used.at(-1) ?? 1;
    timed.push({ rows, threads });
    return { kind: 'done', outputs: [], startedMs: 0, runMs: runMs(rows, threads) };
  };
  const request = (rows: number): RunRequest => ({
    inputs: [],
    outputs: [],
    rows,
    requests: rows,
    latestDeadlineMs: 0,
    expectedMs: 0,
  });
  const choose = (mostThreads: number) =>
    chooseThreads({
      runner: { run },
      request,
      mostRows: 32,
      mostThreads,
      use: async (threads) => void used.push(threads),
    });
  return { choose, used, timed };
}

describe('the number of threads', () => {
  test('is one for runs that are over before another thread begins', async () => {
    const { choose, used } = setUp((rows) => 0.001 * rows);
    expect(await choose(8)).toBe(1);
    expect(used).toEqual([1]);
  });

  test('is doubled as long as that makes runs shorter', async () => {
    const { choose, used } = setUp((rows, threads) => 0.1 * rows * Math.max(1 / threads, 0.3));
    expect(await choose(8)).toBe(4);
    expect(used).toEqual([1, 2, 4, 8, 4]);
  });

  test('stays one where more threads gain little', async () => {
    const { choose, used } = setUp((rows, threads) => (0.1 * rows * 10) / (9 + threads));
    expect(await choose(2)).toBe(1);
    expect(used.at(-1)).toBe(1);
  });

  test('is all of them for long runs, which are not tried long', async () => {
    const { choose, timed } = setUp(() => 500);
    expect(await choose(6)).toBe(6);
    expect(timed).toHaveLength(2);
  });

  test('is no more than there may be', async () => {
    const { choose } = setUp((rows, threads) => (0.1 * rows) / threads);
    expect(await choose(3)).toBe(3);
  });
});

test('a model that is small runs with what the trial finds, and every runner with the same', async () => {
  const { model } = await openModel('linear', { instances: 1 });
  expect(model.intraOpThreads).toBe(1);
  const { model: told } = await openModel('linear', { session: { intraOpThreads: 3, spinning: true } });
  expect(told.intraOpThreads).toBe(3);
});
