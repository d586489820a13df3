import { availableParallelism } from 'node:os';
import { duplexPair } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { RunOutcome, RunRequest } from '../../../src/inference/batcher/executor.ts';
import { chooseThreads } from '../../../src/inference/launch/thread-trial.ts';
import { frameKind, frameWords, head, readJson } from '../../../src/inference/runner/frames/frame.ts';
import { FrameReader } from '../../../src/inference/runner/frames/frame-reader.ts';
import type { LoadMessage } from '../../../src/inference/runner/messages.ts';
import type { SpawnRunner } from '../../../src/inference/runner/spawn-runner.ts';
import { localRunners } from '../../helpers/local-runner.ts';
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

/** Runners in the process of the test whose runs take as long as that says, and the threads that each is loaded with. */
function timedRunners(runMs: (threads: number) => number) {
  const loads: number[][] = [];
  const spawn: SpawnRunner = (model, sharedFd) => {
    const runner = localRunners()(model, sharedFd);
    const [socket, far] = duplexPair();
    const threads: number[] = [];
    loads.push(threads);
    const toRunner = new FrameReader((frame) => {
      if (frameWords(frame)[head.kind] === frameKind.load)
        threads.push((readJson(frame) as LoadMessage).session.intraOpThreads ?? 0);
      runner.socket.write(frame);
    });
    const fromRunner = new FrameReader((frame) => {
      const words = frameWords(frame);
      if (words[head.kind] === frameKind.result) words[head.a] = 1000 * runMs(threads.at(-1) ?? 1);
      far.write(frame);
    });
    far.on('data', (chunk: Buffer) => toRunner.push(chunk));
    far.on('end', () => runner.socket.end());
    runner.socket.on('data', (chunk: Buffer) => fromRunner.push(Buffer.from(chunk)));
    runner.socket.once('close', () => {
      far.destroy();
      socket.destroy();
    });
    return { ...runner, socket };
  };
  return { spawn, loads };
}

describe('the threads of a small model', () => {
  test('are what the trial finds', async () => {
    const short = timedRunners(() => 0.01);
    const { model } = await openModel('linear', {}, short.spawn);
    expect(model.intraOpThreads).toBe(1);
    expect(short.loads).toEqual([[1]]);
    const long = timedRunners((threads) => 19 / threads);
    const { model: wide } = await openModel('linear', {}, long.spawn);
    expect(wide.intraOpThreads).toBe(availableParallelism());
    expect(long.loads[0]?.at(-1)).toBe(availableParallelism());
  });

  test('are the same for every runner', async () => {
    const { spawn, loads } = timedRunners((threads) => 19 / threads);
    const { model } = await openModel('linear', { instances: 2 }, spawn);
    expect(loads.map((threads) => threads.at(-1))).toEqual([model.intraOpThreads, model.intraOpThreads]);
    expect(loads[1]).toHaveLength(1);
  });

  test('are those that are set, where some are', async () => {
    const { spawn, loads } = timedRunners(() => 0.01);
    const { model } = await openModel('linear', { session: { intraOpThreads: 3 } }, spawn);
    expect(model.intraOpThreads).toBe(3);
    expect(loads).toEqual([[3]]);
  });
});
