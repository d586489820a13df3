import { describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../src/inference/engine.ts';
import type { Predictor } from '../../src/inference/predictor.ts';
import { float32, int64 } from '../../src/tensor/tensor.ts';
import { context, openModel, outputsOf, runnerPid, whenReady } from './models.ts';

/** Turns of the loop that last for ever, for a test. */
const forever = 1_000_000_000_000;
const turns = (count: number) => ({ turns: int64([1], [count]) });
const untilBusy = { timeout: 50_000, interval: 5 };

/** Sends an input on which the runner seems to crash: the signal comes from here, as the native code would raise it. */
async function crashOn(model: Predictor & Engine, count: number, signal: NodeJS.Signals): Promise<unknown> {
  await whenReady(model, true);
  const answer = outputsOf(model, turns(count), context()).catch((error: unknown) => error);
  await vi.waitFor(() => expect(model.stats().runners[0]?.state).toBe('busy'), untilBusy);
  process.kill(runnerPid(model), signal);
  return answer;
}

describe('an input that crashes its runner', () => {
  test.each(['SIGFPE', 'SIGABRT', 'SIGSEGV', 'SIGILL'] as const)('by %s is refused, then and later', async (signal) => {
    const { model, restarts } = await openModel('hangs');
    const error = await crashOn(model, forever, signal);
    const refusal = {
      code: 'INPUT_KILLED_RUNNER',
      kind: 'invalid',
      message: `The runner of the model crashed on this input: it was ended by ${signal}. The input is refused for 5 minutes`,
      retryAfterSeconds: undefined,
    };
    expect(error).toMatchObject(refusal);
    await expect(outputsOf(model, turns(forever), context())).rejects.toMatchObject(refusal);
    expect(restarts).toHaveLength(1);
    await expect(outputsOf(model, turns(1), context())).resolves.toBeDefined();
  });

  test('leaves the model to all others, however many like it come', async () => {
    const { model, log } = await openModel('hangs');
    const states: boolean[] = [];
    model.whenHealthChanges(({ ready }) => states.push(ready));
    for (let death = 1; death <= 7; death += 1) {
      expect(await crashOn(model, forever + death, 'SIGSEGV')).toMatchObject({ code: 'INPUT_KILLED_RUNNER' });
    }
    // Requests wait for the next runner.
    expect(model.health).toEqual({ ready: true });
    await expect(outputsOf(model, turns(1), context())).resolves.toBeDefined();
    expect(states).toEqual([]);
    expect(log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test.each(['SIGKILL', 'SIGBUS'] as const)('is not blamed for a runner that %s ended', async (signal) => {
    const { model } = await openModel('hangs');
    expect(await crashOn(model, forever, signal)).toMatchObject({ code: 'RUNNER_DIED' });
    await whenReady(model, true);
    const again = await crashOn(model, forever, 'SIGKILL');
    expect(again).toMatchObject({ code: 'RUNNER_DIED' });
  });

  test('is not blamed for a runner that was killed because it hung', async () => {
    const { model, restarts } = await openModel('hangs', { timeoutMs: 600 });
    const hanging = () => outputsOf(model, turns(forever), context({ timeoutMs: 300 }));
    await expect(hanging()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await vi.waitFor(() => expect(restarts).toEqual([expect.stringContaining('hung')]), untilBusy);
    await whenReady(model, true);
    await expect(hanging()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

test('a model that crashes on every input is given up', async () => {
  const { model } = await openModel('hangs');
  for (let death = 1; death <= 20; death += 1) await crashOn(model, forever + death, 'SIGSEGV');
  expect(model.health).toEqual({
    ready: false,
    reason: 'its runners crashed on 20 inputs in a row: it was ended by SIGSEGV',
  });
  await expect(outputsOf(model, turns(1), context())).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
});

// Elsewhere a division by zero is no fault of the processor.
test.runIf(process.arch === 'x64')(
  'an input without lists, on which TopK divides by zero, is refused alone',
  async () => {
    const { model, restarts } = await openModel('top');
    const lists = (count: number) => ({ x: float32([1, count, 4], new Array(4 * count).fill(1)) });
    const counts = [1, 0, 2, 0, 1];
    const answers = await Promise.allSettled(counts.map((count) => outputsOf(model, lists(count), context())));
    for (const [i, count] of counts.entries()) {
      if (count === 0) expect(answers[i]).toMatchObject({ reason: { code: 'INPUT_KILLED_RUNNER' } });
      else expect(answers[i]).toMatchObject({ value: { best: { shape: [1, count, 2] } } });
    }
    await expect(outputsOf(model, lists(0), context())).rejects.toMatchObject({ code: 'INPUT_KILLED_RUNNER' });
    expect(restarts).toEqual(new Array(restarts.length).fill('it was ended by SIGFPE'));
    expect(restarts.length).toBeLessThan(3);
  },
);
