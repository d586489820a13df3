import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { AnswerMemory } from '../../../src/inference/cache/answer-memory.ts';
import type { CacheEvents, EvictionReason } from '../../../src/inference/cache/cache-events.ts';
import { float32, text } from '../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { cacheControl, contextOf, doubledAfter, openCache, rows } from './caches.ts';

const range = (count: number, from = 0) =>
  rows(...Array.from({ length: count }, (_, index) => [from + index, from - index] as const));

function evictions() {
  const counts: Partial<Record<EvictionReason, number>> = {};
  const events: CacheEvents = {
    onEvicted: (reason, count) => {
      counts[reason] = (counts[reason] ?? 0) + count;
    },
  };
  return { counts, events };
}

describe('what is kept', () => {
  it('answers until its time is over, by the clock', async () => {
    const clock = new VirtualClock();
    const { counts, events } = evictions();
    const { cached, predictor } = openCache({ clock, ttlMs: 1000, events });
    const first = await cached.predict(rows([1, 2]), contextOf(clock));
    expect(first.cache).toMatchObject({ units: 1, hits: 0, stored: 1 });
    await clock.advance(600);
    const second = await cached.predict(rows([1, 2]), contextOf(clock));
    expect(second).toMatchObject({ outputs: first.outputs, cache: { hits: 1, stored: 0, ttlMs: 400 } });
    expect(second.timings).toEqual({ queueMs: 0, batchMs: 0, inferMs: 0, batchRows: 0 });
    await clock.advance(401);
    expect((await cached.predict(rows([1, 2]), contextOf(clock))).cache).toMatchObject({ hits: 0, stored: 1 });
    expect(predictor.asked).toHaveLength(2);
    expect(counts).toEqual({ ttl: 1 });
    expect(cached.figures).toMatchObject({ entries: 1, hits: 1, misses: 2 });
  });

  it('shares no memory with anybody', async () => {
    const clock = new VirtualClock();
    const texts = openCache({
      clock,
      fake: {
        signature: {
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
          outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1, 1] }],
        },
        outcome: () => ({ outputs: { y: text([1, 1], ['all']) } }),
      },
    });
    for (const { cached } of [openCache({ clock }), texts]) {
      const expected = structuredClone((await cached.predict(rows([1, 2]), contextOf(clock))).outputs['y']);
      for (let times = 0; times < 3; times += 1) {
        const { outputs } = await cached.predict(rows([1, 2]), contextOf(clock));
        expect(outputs['y']).toEqual(expected);
        // A client that does what it likes with its answer.
        const data: unknown = outputs['y']?.data;
        if (Array.isArray(data)) data[0] = 'other';
        else if (data instanceof Float32Array) data.fill(99);
      }
    }
  });

  it('of a hundred rows with ninety hits runs ten, and answers in order', async () => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock });
    await cached.predict(range(100), contextOf(clock));
    const changed = range(100);
    const x = changed['x'];
    if (x?.datatype === 'FP32') for (let row = 5; row < 100; row += 10) x.data[2 * row] = 1000 + row;
    const { outputs, cache } = await cached.predict(changed, contextOf(clock));
    expect(cache).toMatchObject({ units: 100, hits: 90, stored: 10, collapsed: 0 });
    expect(predictor.asked.map(({ inputs }) => inputs['x']?.shape)).toEqual([
      [100, 2],
      [10, 2],
    ]);
    expect(outputs['y']?.shape).toEqual([100, 2]);
    expect([...(outputs['y']?.data ?? [])]).toEqual([...(x?.data ?? [])].map((value) => 2 * Number(value)));
  });

  it('runs a row once that a request has several times', async () => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock });
    const { outputs, cache } = await cached.predict(rows([1, 2], [3, 4], [1, 2]), contextOf(clock));
    expect(outputs['y']).toEqual(float32([3, 2], [2, 4, 6, 8, 2, 4]));
    expect(predictor.asked.map(({ inputs }) => inputs['x']?.shape)).toEqual([[2, 2]]);
    expect(cache).toMatchObject({ units: 3, hits: 0, stored: 2 });
  });

  it('is the whole request where rows depend on each other', async () => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock, fake: { independentRows: false } });
    await cached.predict(rows([1, 2], [3, 4]), contextOf(clock));
    expect((await cached.predict(rows([1, 2]), contextOf(clock))).cache).toMatchObject({ units: 1, hits: 0 });
    expect((await cached.predict(rows([1, 2], [3, 4]), contextOf(clock))).cache).toMatchObject({ units: 1, hits: 1 });
    expect(predictor.asked).toHaveLength(2);
  });

  it('is no error, and no answer of a graph that was in trouble', async () => {
    const clock = new VirtualClock();
    const error = new AppError('MODEL_REFUSED_INPUT', { message: 'no' });
    const failing = openCache({ clock, fake: { outcome: () => ({ error }) } });
    for (let times = 1; times <= 2; times += 1) {
      await expect(failing.cached.predict(rows([1, 2]), contextOf(clock))).rejects.toBe(error);
      expect(failing.predictor.asked).toHaveLength(times);
    }
    const graph = openCache({ clock });
    const predict = graph.predictor.predict.bind(graph.predictor);
    graph.predictor.predict = async (inputs, context) => ({
      ...(await predict(inputs, context)),
      steps: [{ name: 'a', outcome: 'fell_back', ms: 1 }],
    });
    const { cache, steps } = await graph.cached.predict(rows([1, 2]), contextOf(clock));
    expect(cache).toMatchObject({ stored: 0 });
    expect(steps).toHaveLength(1);
    expect(graph.cached.figures.entries).toBe(0);
  });

  it('has no more bytes than it may, over all models', async () => {
    const clock = new VirtualClock();
    const { counts, events } = evictions();
    const memory = new AnswerMemory(10_000, clock);
    const [one, other] = [
      openCache({ clock, memory, events, identity: () => '1' }),
      openCache({ clock, memory, identity: () => '2' }),
    ];
    await one.cached.predict(rows([-1, -1]), contextOf(clock));
    await other.cached.predict(range(50), contextOf(clock));
    const { entries, bytes } = other.cached.figures;
    expect(entries).toBeGreaterThan(2);
    expect(bytes).toBeLessThanOrEqual(10_000);
    expect(one.cached.figures).toMatchObject({ entries: 0, bytes: 0 });
    expect(counts).toEqual({ size: 1 });
  });

  it('is nothing of a request that is larger than it may be, or that has no rows', async () => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock, maxInputBytes: 16 });
    for (const inputs of [rows([1, 2], [3, 4], [5, 6]), rows()]) {
      const { cache } = await cached.predict(inputs, contextOf(clock));
      expect(cache).toMatchObject({ bypass: 'configuration', hits: 0, stored: 0 });
    }
    expect(predictor.asked).toHaveLength(2);
    expect((await cached.predict(rows([1, 2], [3, 4]), contextOf(clock))).cache).toMatchObject({ stored: 2 });
  });
});

describe('what is forgotten', () => {
  it('are all answers when the version is loaded anew, also under the same number', async () => {
    const clock = new VirtualClock();
    const { counts, events } = evictions();
    let load = '1';
    const { cached, predictor } = openCache({ clock, identity: () => load, events });
    await cached.predict(range(3), contextOf(clock));
    load = '2';
    expect((await cached.predict(range(3), contextOf(clock))).cache).toMatchObject({ hits: 0, stored: 3 });
    expect(predictor.asked).toHaveLength(2);
    expect(counts).toEqual({ reload: 3 });
  });

  it('are the rows once they turn out not to be independent', async () => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock });
    await cached.predict(range(3), contextOf(clock));
    Object.assign(predictor, { independentRows: false });
    expect((await cached.predict(range(3), contextOf(clock))).cache).toMatchObject({ units: 1, hits: 0, stored: 1 });
    expect(cached.figures.entries).toBe(1);
  });

  it('is a run during which rows turned out not to be independent: whoever waits has the whole request run', async () => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock, fake: { outcome: doubledAfter(10) } });
    await settled(clock, cached.predict(range(2), contextOf(clock)), 10);
    const partly = cached.predict(range(4), contextOf(clock));
    Object.assign(predictor, { independentRows: false });
    const { outputs } = await settled(clock, partly, 20);
    expect(predictor.asked.map(({ inputs }) => inputs['x']?.shape[0])).toEqual([2, 2, 4]);
    expect(outputs['y']?.shape).toEqual([4, 2]);
  });

  it('is what was under way while everything was forgotten', async () => {
    const clock = new VirtualClock();
    const { cached } = openCache({ clock, fake: { outcome: doubledAfter(10) } });
    const first = cached.predict(rows([1, 2]), contextOf(clock));
    expect(cached.clear()).toBe(0);
    expect((await settled(clock, first, 10)).cache).toMatchObject({ stored: 0 });
    expect(cached.figures.entries).toBe(0);
  });
});

describe('what a client wants of the cache', () => {
  it('no-cache has a new answer, which is kept', async () => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock });
    await cached.predict(rows([1, 2]), contextOf(clock));
    const again = await cached.predict(rows([1, 2]), contextOf(clock, cacheControl('no-cache')));
    expect(again.cache).toMatchObject({ bypass: 'request', hits: 0, stored: 1 });
    expect(predictor.asked).toHaveLength(2);
  });

  it.each([cacheControl('no-store'), { bypassesCache: true }])('%j neither reads nor keeps', async (terms) => {
    const clock = new VirtualClock();
    const { cached, predictor } = openCache({ clock });
    for (let times = 1; times <= 2; times += 1) {
      const { cache } = await cached.predict(rows([1, 2]), contextOf(clock, terms));
      expect(cache).toMatchObject({ hits: 0, stored: 0, bypass: expect.any(String) });
      expect(predictor.asked).toHaveLength(times);
    }
    expect(cached.figures).toMatchObject({ entries: 0, hits: 0, misses: 0 });
  });
});

/** Lets time pass until the promise is there. */
async function settled<T>(clock: VirtualClock, promise: Promise<T>, ms: number): Promise<T> {
  await clock.advance(ms);
  return promise;
}
