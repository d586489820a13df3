import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { int64 } from '../../src/tensor/tensor.ts';
import { context, isAlive, openModel, outputsOf, runnerPid, whenReady } from './models.ts';

/** Turns of the loop that last for ever, for a test. */
const forever = 1_000_000_000_000;
const turns = (count: number) => ({ turns: int64([1], [count]) });
const untilBusy = { timeout: 50_000, interval: 5 };

describe('a runner that is killed in the middle of a batch', () => {
  test('fails that batch alone, and the next requests are served by another', async () => {
    const { model, restarts } = await openModel('hangs', { batching: { enabled: true, maxSize: 2 } });
    const pid = runnerPid(model);
    const running = [forever, forever].map((count) => outputsOf(model, turns(count), context()));
    const failed = Promise.allSettled(running);
    await vi.waitFor(() => expect(model.stats().runners[0]?.state).toBe('busy'), untilBusy);
    const waiting = [1, 2, 3].map((count) => outputsOf(model, turns(count), context()));
    process.kill(pid, 'SIGKILL');
    for (const answer of await failed) {
      expect(answer).toMatchObject({ reason: { code: 'RUNNER_DIED', retryAfterSeconds: 1 } });
    }
    expect(await Promise.all(waiting)).toHaveLength(3);
    expect(runnerPid(model)).not.toBe(pid);
    expect(restarts).toEqual(['it was ended by SIGKILL']);
  });

  test('leaves the other instance at work', async () => {
    const { model } = await openModel('hangs', { instances: 2 });
    const [first] = model.stats().runners;
    const doomed = outputsOf(model, turns(forever), context());
    const failed = expect(doomed).rejects.toMatchObject({ code: 'INPUT_KILLED_RUNNER' });
    await vi.waitFor(() => expect(model.stats().runners[0]?.state).toBe('busy'), untilBusy);
    process.kill(first?.pid ?? 0, 'SIGABRT');
    await expect(outputsOf(model, turns(1), context())).resolves.toBeDefined();
    await failed;
    expect(model.health).toEqual({ ready: true });
  });
});

describe('a model that hangs', () => {
  test('has its requests answered at their deadline, and its runner replaced', async () => {
    const { model, restarts } = await openModel('hangs', { timeoutMs: 600 });
    await expect(outputsOf(model, turns(forever), context({ timeoutMs: 300 }))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    // The answer does not wait until the runner is given up.
    expect(restarts).toEqual([]);
    await vi.waitFor(() => expect(restarts).toEqual([expect.stringContaining('hung')]), untilBusy);
    await whenReady(model, true);
    await expect(outputsOf(model, turns(1), context())).resolves.toBeDefined();
  });

  test('is not taken for hanging because one client was in a hurry', async () => {
    const { model, restarts } = await openModel('hangs', { batching: { enabled: true } });
    const pid = runnerPid(model);
    const slow = 2_000_000;
    const [hurried, patient] = await Promise.allSettled([
      outputsOf(model, turns(slow), context({ timeoutMs: 20 })),
      outputsOf(model, turns(slow), context()),
    ]);
    expect(hurried).toMatchObject({ reason: { code: 'DEADLINE_EXCEEDED' } });
    expect(patient.status).toBe('fulfilled');
    expect(runnerPid(model)).toBe(pid);
    expect(restarts).toEqual([]);
  });
});

describe('a model whose runners die five times in a minute', () => {
  test('is not ready, says why, and refuses at once', async () => {
    const { model, restarts } = await openModel('hangs');
    for (let death = 1; death <= 5; death += 1) {
      await whenReady(model, true);
      const dead = new Promise<void>((resolve) => {
        const stop = model.whenHealthChanges(() => {
          stop();
          resolve();
        });
      });
      process.kill(runnerPid(model), 'SIGSEGV');
      await dead;
    }
    expect(restarts).toHaveLength(5);
    expect(model.health).toEqual({
      ready: false,
      reason: 'its runners died five times in a minute: it was ended by SIGSEGV',
    });
    await expect(outputsOf(model, turns(1), context())).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });
});

describe('a runner over its memory limit', () => {
  test('is replaced without a failed request', async () => {
    const { model } = await openModel('grows', { memoryLimitMb: 400 });
    const pid = runnerPid(model);
    const grow = () => outputsOf(model, { megabytes: int64([1], [512]) }, context());
    await grow();
    await vi.waitFor(async () => {
      await outputsOf(model, { megabytes: int64([1], [1]) }, context());
      expect(runnerPid(model)).not.toBe(pid);
    }, untilBusy);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), untilBusy);
    expect(model.stats().runners[0]?.rssBytes).toBeLessThan(400 * 2 ** 20);
    await expect(grow()).resolves.toBeDefined();
  });
});

describe('the end', () => {
  test('a closed model has answered every request and left no process', async () => {
    const { model } = await openModel('hangs', { instances: 2 });
    const pids = model.stats().runners.map(({ pid }) => pid ?? 0);
    const running = Promise.all([1, 2, 1_000_000].map((count) => outputsOf(model, turns(count), context())));
    await model.close();
    expect(await running).toHaveLength(3);
    expect(pids.map(isAlive)).toEqual([false, false]);
    await expect(outputsOf(model, turns(1), context())).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  test.each(['idle', 'hanging'])('a runner that is %s ends when the main process is killed', async (state) => {
    const script = fileURLToPath(new URL('./orphan-main.ts', import.meta.url));
    const main = spawn(process.execPath, [script, state], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(main.stdout.setEncoding('utf8'), 'data');
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    main.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), untilBusy);
  });

  test('a runner ignores the signals that the main process handles', async () => {
    const { model } = await openModel('hangs');
    const pid = runnerPid(model);
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    await expect(outputsOf(model, turns(1), context())).resolves.toBeDefined();
    expect(runnerPid(model)).toBe(pid);
  });
});
