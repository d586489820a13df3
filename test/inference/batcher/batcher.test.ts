import { describe, expect, test } from 'vitest';
import { setUp } from './set-up.ts';

describe('gathering', () => {
  test('an idle runner takes a request at once', async () => {
    const { clock, runners, send } = setUp();
    await clock.advanceTo(5);
    const sent = send(1);
    await clock.advance(11);
    expect(runners[0]?.runs[0]?.startedMs).toBe(5);
    expect(sent.atMs).toBe(16);
    expect(sent.timings).toMatchObject({ queueMs: 0, inferMs: 11, batchRows: 1 });
  });

  test('requests of the same turn share a run', async () => {
    const { clock, send, runsOf } = setUp();
    for (const value of [1, 2, 3]) send(value);
    await clock.advance(50);
    expect(runsOf()).toEqual([[1, 2, 3]]);
  });

  test('while the runner is busy, requests gather for the next run', async () => {
    const { clock, send, runsOf } = setUp();
    send(1);
    await clock.advance(1);
    send(2);
    await clock.advance(1);
    const last = send(3);
    await clock.advance(50);
    expect(runsOf()).toEqual([[1], [2, 3]]);
    expect(last.timings).toMatchObject({ queueMs: 9, inferMs: 12, batchRows: 2 });
  });

  test('every idle runner gets a share, and no run is begun twice', async () => {
    const { clock, send, runners } = setUp({ maxSize: 2 }, {}, 2);
    for (const value of [1, 2, 3, 4]) send(value);
    await clock.advance(50);
    expect(runners.map(({ runs }) => runs.map(({ values }) => values))).toEqual([[[1, 2]], [[3, 4]]]);
  });

  test('groups take turns by their oldest request', async () => {
    const { clock, send, runsOf } = setUp();
    send(1, { group: 'a' });
    await clock.advance(1);
    send(2, { group: 'b' });
    send(3, { group: 'a' });
    send(4, { group: 'b' });
    await clock.advance(100);
    expect(runsOf()).toEqual([[1], [2, 4], [3]]);
  });

  test('with a delay, an idle runner waits for more, but not longer', async () => {
    const { clock, send, runners } = setUp({ maxDelayMs: 30 });
    send(1);
    await clock.advance(20);
    send(2);
    await clock.advance(100);
    expect(runners[0]?.runs).toMatchObject([{ values: [1, 2], startedMs: 30 }]);
  });

  test('with a delay, a full batch goes at once', async () => {
    const { clock, send, runners } = setUp({ maxDelayMs: 30, maxSize: 2 });
    send(1);
    await clock.advance(5);
    send(2);
    await clock.advance(100);
    expect(runners[0]?.runs).toMatchObject([{ values: [1, 2], startedMs: 5 }]);
  });

  test('a busy runner is given a full batch ahead, and one that could still grow only when it is free', async () => {
    const { clock, send, runners } = setUp({ maxSize: 2 });
    send(1);
    await clock.advance(1);
    for (const value of [2, 3, 4]) send(value);
    await clock.advance(100);
    expect(runners[0]?.runs).toMatchObject([
      { values: [1], sentMs: 0, startedMs: 0 },
      { values: [2, 3], sentMs: 1, startedMs: 11 },
      { values: [4], sentMs: 23, startedMs: 23 },
    ]);
  });
});

describe('deadlines', () => {
  test('a batch stays small enough for its most urgent member', async () => {
    const { clock, send, runsOf, learn } = setUp({ maxSize: 64 });
    await learn();
    const urgent = send(1, { timeoutMs: 14 });
    for (let value = 2; value <= 8; value += 1) send(value);
    await clock.advance(100);
    expect(runsOf()).toEqual([
      [1, 2, 3],
      [4, 5, 6, 7, 8],
    ]);
    expect(urgent.outputs).toBeDefined();
  });

  test('a request that is late in any case does not make the batches of the others small', async () => {
    const { clock, send, runsOf, learn } = setUp();
    await learn();
    const late = send(1, { timeoutMs: 5 });
    for (const value of [2, 3, 4]) send(value);
    await clock.advance(100);
    expect(runsOf()).toEqual([[1, 2, 3, 4]]);
    expect(late.error?.code).toBe('DEADLINE_EXCEEDED');
    expect(late.atMs).toBe(405);
  });

  test('a request whose deadline cannot be met is refused at the door, and told when to come back', async () => {
    const { clock, send, learn } = setUp();
    await learn();
    send(1, { rows: 8 });
    await clock.advance(1);
    for (let i = 0; i < 200; i += 1) send(i, { rows: 4 });
    const refused = send(2, { timeoutMs: 500 });
    expect(refused.error?.code).toBe('DEADLINE_UNREACHABLE');
    expect(refused.error?.retryAfterSeconds).toBe(2);
    expect(refused.atMs).toBe(clock.now());
  });

  test('an idle runner refuses nobody, whatever was learned', async () => {
    const { clock, send, learn } = setUp();
    await learn();
    const hopeless = send(1, { timeoutMs: 2 });
    expect(hopeless.error).toBeUndefined();
    await clock.advance(100);
    expect(hopeless.error?.code).toBe('DEADLINE_EXCEEDED');
  });

  test('outputs that arrive after the deadline are not given, even if the event loop was held up', async () => {
    const { clock, send } = setUp();
    const sent = send(1, { timeoutMs: 50 });
    await clock.advance(5);
    clock.stall(100);
    await clock.advance(1);
    expect(sent.outputs).toBeUndefined();
    expect(sent.error?.code).toBe('DEADLINE_EXCEEDED');
  });
});

describe('bounds', () => {
  test('a full queue refuses by rows', async () => {
    const { send, clock } = setUp({ maxQueueRows: 3 });
    send(1, { rows: 3 });
    const refused = send(2);
    expect(refused.error).toMatchObject({ code: 'QUEUE_FULL', retryAfterSeconds: 1 });
    await clock.advance(50);
  });

  test('a full queue refuses by bytes', async () => {
    const { send } = setUp({ maxQueueBytes: 100 });
    send(1, { bytes: 60 });
    expect(send(2, { bytes: 60 }).error?.code).toBe('QUEUE_FULL');
    expect(send(3, { bytes: 40 }).error).toBeUndefined();
  });
});

describe('priority', () => {
  test('decides who takes part in the next run, and within a level the order of arrival', async () => {
    const { clock, send, runsOf } = setUp({ maxSize: 2 });
    send(0);
    await clock.advance(1);
    for (const [value, priority] of [
      [1, 9],
      [2, 0],
      [3, 2],
      [4, 5],
      [5, undefined],
      [6, 1],
    ] as const) {
      send(value, { ...(priority !== undefined && { priority }), rows: 1 });
    }
    await clock.advance(200);
    expect(runsOf()).toEqual([[0], [6, 3], [2, 4], [5, 1]]);
  });

  test('decides which group is next', async () => {
    const { clock, send, runsOf } = setUp();
    send(0);
    await clock.advance(1);
    send(1, { group: 'a' });
    send(2, { group: 'b', priority: 3 });
    await clock.advance(100);
    expect(runsOf()).toEqual([[0], [2], [1]]);
  });

  test('a number beyond the lowest level is the lowest level', async () => {
    const { clock, send, runsOf } = setUp({ maxSize: 2 });
    send(0);
    await clock.advance(1);
    for (const [value, priority] of [
      [1, 4_000_000_000],
      [2, 10],
      [3, 11],
    ] as const)
      send(value, { priority });
    await clock.advance(100);
    expect(runsOf()).toEqual([[0], [1, 2], [3]]);
  });

  test('a request is not refused for what comes after it', async () => {
    const { clock, send, learn } = setUp();
    await learn();
    send(1, { rows: 8 });
    await clock.advance(1);
    for (let i = 0; i < 200; i += 1) send(i, { rows: 4 });
    const urgent = send(2, { timeoutMs: 100, priority: 1 });
    await clock.advance(200);
    expect(urgent.outputs).toBeDefined();
  });

  test('a delay counts from the oldest request, whatever comes before it', async () => {
    const { clock, send, runners } = setUp({ maxDelayMs: 30 });
    send(1, { priority: 9 });
    await clock.advance(20);
    send(2, { priority: 1 });
    await clock.advance(100);
    expect(runners[0]?.runs).toMatchObject([{ values: [2, 1], startedMs: 30 }]);
  });
});

describe('a busy runner', () => {
  test.each([
    [5, true],
    [6, false],
  ])('is given a full batch of priority %d ahead: %s', async (priority, ahead) => {
    const { clock, send, runners } = setUp({ maxSize: 1 });
    send(1);
    await clock.advance(1);
    send(2, { priority });
    await clock.advance(1);
    send(3, { priority: 1 });
    await clock.advance(100);
    expect(runners[0]?.runs.map(({ values }) => values)).toEqual(ahead ? [[1], [2], [3]] : [[1], [3], [2]]);
  });
});

describe('failures', () => {
  test('only the request at fault fails, with what the model said', async () => {
    const { clock, send } = setUp({}, { poison: new Set([5]) });
    const sent = [1, 2, 3, 4, 5, 6, 7].map((value) => send(value));
    await clock.advance(500);
    expect(sent.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'MODEL_REFUSED_INPUT',
      undefined,
      undefined,
    ]);
    expect(sent[4]?.error?.message).toContain('5 is poison');
  });

  test('a runner that dies fails its own run, and what it had not begun runs elsewhere', async () => {
    const { clock, send } = setUp({ maxSize: 2 }, { deadly: new Set([1]), restartMs: 100 });
    const first = send(1);
    await clock.advance(1);
    const others = [2, 3].map((value) => send(value));
    await clock.advance(500);
    expect(first.error).toMatchObject({ code: 'RUNNER_DIED', retryAfterSeconds: 1 });
    expect(others.map(({ outputs }) => outputs?.[0]?.data[0])).toEqual([4, 6]);
    expect(others[0]?.atMs).toBe(11 + 100 + 12);
  });

  test('a run that gives another number of rows is made again for each request by itself', async () => {
    const { clock, send, mismatches } = setUp({}, { lies: new Set([2]) });
    const sent = [1, 2, 3].map((value) => send(value));
    await clock.advance(500);
    expect(sent.map(({ outputs }) => outputs?.[0]?.data)).toEqual([
      Float32Array.of(2),
      Float32Array.of(4, 0),
      Float32Array.of(6),
    ]);
    expect(mismatches()).toBe(1);
  });

  test('what is aborted is dropped at once when that is asked for, also what runs', async () => {
    const { clock, send, batcher } = setUp({ maxSize: 1 });
    const client = new AbortController();
    const sent = [send(1, { signal: client.signal }), send(2, { signal: client.signal }), send(3)];
    await clock.advance(5);
    client.abort();
    expect(sent.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    batcher.dropAborted();
    expect(sent.map(({ error }) => error?.code)).toEqual(['CLIENT_GONE', 'CLIENT_GONE', undefined]);
    await clock.advance(50);
    expect(sent[2]?.outputs).toBeDefined();
  });

  test('a closed batcher answers what it has and lets nobody in', async () => {
    const { clock, send, batcher } = setUp();
    const sent = send(1);
    const closed = batcher.close();
    expect(send(2).error?.code).toBe('SHUTTING_DOWN');
    await clock.advance(50);
    await closed;
    expect(sent.outputs).toBeDefined();
  });
});
