import { describe, expect, test } from 'vitest';
import { setUp } from './set-up.ts';

const background = { priority: 'background' } as const;

describe('a request that a runner crashes on', () => {
  test('is found in a batch at the price of three runners at most, and the others get their answers', async () => {
    const { clock, send, runsOf } = setUp({ maxSize: 16 }, { crashing: new Set([13]), restartMs: 50 });
    const sent = Array.from({ length: 16 }, (_, value) => send(value));
    await clock.advance(2_000);
    for (const [value, { outputs, error }] of sent.entries()) {
      if (value === 13) expect(error).toMatchObject({ code: 'INPUT_KILLED_RUNNER', kind: 'invalid' });
      else expect(outputs?.[0]?.data).toEqual(Float32Array.of(2 * value));
    }
    expect(runsOf().filter((values) => values.includes(13))).toHaveLength(3);
    // The whole, its halves, and the requests of one half.
    expect(runsOf()).toHaveLength(1 + 2 + 8);
  });

  test('is refused without a run when it comes again', async () => {
    const { clock, send, runsOf } = setUp({}, { crashing: new Set([1]), restartMs: 50 });
    const first = send(1);
    await clock.advance(100);
    expect(first.error?.message).toBe(
      'The runner of the model crashed on this input: deadly input. The input is refused for 5 minutes',
    );
    const again = send(1);
    expect(again.error?.code).toBe('INPUT_KILLED_RUNNER');
    const other = send(2);
    await clock.advance(100);
    expect(other.outputs?.[0]?.data).toEqual(Float32Array.of(4));
    expect(runsOf()).toEqual([[1], [2]]);
    await clock.advance(5 * 60_000);
    send(1);
    await clock.advance(100);
    expect(runsOf()).toEqual([[1], [2], [1]]);
  });

  test('that waits many times over costs no more runners than one', async () => {
    const { clock, send, runsOf } = setUp({ maxSize: 8 }, { crashing: new Set([1]), restartMs: 50 });
    const sent = Array.from({ length: 32 }, () => send(1));
    await clock.advance(2_000);
    expect(new Set(sent.map(({ error }) => error?.code))).toEqual(new Set(['INPUT_KILLED_RUNNER']));
    expect(runsOf().map(({ length }) => length)).toEqual([8, 4, 1]);
  });

  test('is refused as a whole, and blames none of its rows', async () => {
    const { clock, send } = setUp({}, { crashing: new Set([1]), restartMs: 50 });
    const two = send(1, { rows: 2 });
    await clock.advance(100);
    expect(two.error?.code).toBe('INPUT_KILLED_RUNNER');
    const one = send(1);
    expect(one.error).toBeUndefined();
    await clock.advance(100);
    expect(one.error?.code).toBe('INPUT_KILLED_RUNNER');
  });

  test('in the background is parted from those that somebody waits for, which are well', async () => {
    const { clock, send, learn, runsOf } = setUp({ maxSize: 4 }, { crashing: new Set([-1]), restartMs: 20 });
    await learn();
    send(1);
    await clock.advance(1);
    const online = send(2);
    const guilty = send(-1, background);
    await clock.advance(500);
    expect(runsOf()).toEqual([[1], [2, -1], [2], [-1]]);
    expect(online.outputs?.[0]?.data).toEqual(Float32Array.of(4));
    expect(guilty.error?.code).toBe('INPUT_KILLED_RUNNER');
  });

  test('costs no digest while nothing has crashed', async () => {
    const { clock, send } = setUp({}, { deadly: new Set([1]), restartMs: 50 });
    send(1);
    await clock.advance(100);
    const again = send(1);
    expect(again.error).toBeUndefined();
    await clock.advance(100);
    // A runner that something else ended blames nothing.
    expect(again.error?.code).toBe('RUNNER_DIED');
  });
});
