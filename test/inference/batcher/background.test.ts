import { describe, expect, test } from 'vitest';
import { setUp } from './set-up.ts';

describe('in the background, requests', () => {
  const background = { priority: 'background' } as const;

  test('run when nobody else needs the runner, in the order of arrival', async () => {
    const { clock, send, runsOf } = setUp({ maxSize: 2 });
    send(1, background);
    await clock.advance(1);
    for (const value of [2, 3, 4]) send(value, background);
    send(5);
    send(6, { group: 'b', priority: 10 });
    await clock.advance(200);
    expect(runsOf()).toEqual([[1], [5, 2], [6], [3, 4]]);
  });

  test('fill a run as far as that makes it a tenth longer', async () => {
    const { clock, send, runsOf, learn } = setUp({ maxSize: 64 });
    await learn();
    send(0);
    await clock.advance(1);
    for (let value = 1; value <= 9; value += 1) send(-value, background);
    for (let value = 1; value <= 10; value += 1) send(value);
    await clock.advance(20);
    // 10 ms and 1 ms for each of 10 rows leave room for 2 ms more.
    expect(runsOf()[1]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1, -2]);
  });

  test('run by themselves no longer than two runs of a row', async () => {
    const { clock, send, runsOf, learn } = setUp({ maxSize: 64 });
    await learn();
    for (let value = 1; value <= 40; value += 1) send(value, background);
    await clock.advance(200);
    // 10 ms and 1 ms a row: 12 rows take twice as long as one.
    expect(runsOf().map(({ length }) => length)).toEqual([12, 12, 12, 4]);
  });

  test('are not given to a busy runner ahead', async () => {
    const { clock, send, runners } = setUp({ maxSize: 2 });
    send(1);
    await clock.advance(1);
    for (const value of [2, 3]) send(value, background);
    await clock.advance(9);
    send(4);
    await clock.advance(100);
    expect(runners[0]?.runs).toMatchObject([
      { values: [1] },
      { values: [4, 2], startedMs: 11 },
      { values: [3], startedMs: 23 },
    ]);
  });

  test('use the time in which a runner waits for a fuller batch of others', async () => {
    const { clock, send, runners, learn } = setUp({ maxSize: 8, maxDelayMs: 30 });
    await learn();
    const startMs = clock.now();
    send(1);
    send(-1, background);
    send(-2, { ...background, group: 'b' });
    await clock.advance(100);
    expect(runners[0]?.runs).toMatchObject([
      { values: [-1], startedMs: startMs },
      { values: [-2], startedMs: startMs + 11 },
      { values: [1], startedMs: startMs + 30 },
    ]);
  });

  test('leave a runner alone that others need before they would be done', async () => {
    const { clock, send, runners, learn } = setUp({ maxSize: 8, maxDelayMs: 30 });
    await learn();
    const startMs = clock.now();
    send(1);
    await clock.advance(25);
    send(-1, { ...background, group: 'b' });
    await clock.advance(100);
    expect(runners[0]?.runs).toMatchObject([
      { values: [1], startedMs: startMs + 30 },
      { values: [-1], startedMs: startMs + 41 },
    ]);
  });

  test('have a bound of their own, and take no room from others', async () => {
    const { clock, send, batcher } = setUp({ maxQueueRows: 3 });
    for (const value of [1, 2, 3]) expect(send(value, background).error).toBeUndefined();
    expect(send(4, background).error?.code).toBe('QUEUE_FULL');
    const others = [5, 6, 7].map((value) => send(value));
    expect(others.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(batcher).toMatchObject({ queueRows: 3, backgroundRows: 3 });
    await clock.advance(100);
    expect(others.every(({ outputs }) => outputs !== undefined)).toBe(true);
  });

  test('do not make the door refuse a deadline', async () => {
    const { clock, send, learn } = setUp({ maxSize: 8 });
    await learn();
    send(-1, { ...background, rows: 8 });
    await clock.advance(1);
    send(-2, { ...background, rows: 8 });
    const tight = send(1, { timeoutMs: 5 });
    expect(tight.error).toBeUndefined();
    await clock.advance(100);
    expect(tight.error?.code).toBe('DEADLINE_EXCEEDED');
  });

  test('are refused at the door when their own deadline cannot be met', async () => {
    const { clock, send, learn } = setUp({ maxSize: 8 });
    await learn();
    send(1, { rows: 8 });
    await clock.advance(1);
    send(2, { rows: 8 });
    expect(send(3, { ...background, timeoutMs: 30 }).error?.code).toBe('DEADLINE_UNREACHABLE');
  });

  test('that the model refuses do not hold up those whose run they joined', async () => {
    const { clock, send, runsOf } = setUp({ maxSize: 4 }, { poison: new Set([-1]) });
    const others = [send(1), send(2)];
    const [bad, good] = [send(-1, background), send(-2, background)];
    await clock.advance(200);
    expect(runsOf()).toEqual([[1, 2, -1, -2], [1, 2], [-1, -2], [-1], [-2]]);
    expect(others.map(({ atMs }) => atMs)).toEqual([26, 26]);
    expect(bad?.error?.code).toBe('MODEL_REFUSED_INPUT');
    expect(good?.outputs).toBeDefined();
  });

  test('that end the runner do not fail those whose run they joined', async () => {
    const { clock, send } = setUp({ maxSize: 4 }, { deadly: new Set([-1]), restartMs: 20 });
    const other = send(1);
    const deadly = send(-1, background);
    await clock.advance(200);
    expect(deadly.error?.code).toBe('RUNNER_DIED');
    expect(other.outputs?.[0]?.data[0]).toBe(2);
  });
});
