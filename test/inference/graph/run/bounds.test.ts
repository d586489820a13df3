import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../virtual-clock.ts';
import { asking, bound, mapping, openGraph, rowsOf, watch } from '../graphs.ts';
import { call, model, plan } from '../plans.ts';

const steps = [model('a', call(0, 'input.x')), model('b', call(1, 'a.y')), model('c', call(1, 'b.y'))];

function open(bounds: { maxInFlight?: number; maxInFlightBytes?: number }) {
  const clock = new VirtualClock();
  const member = mapping(clock, Math.abs, { afterMs: 10 });
  const { graph, held } = openGraph(plan(steps, { y: 'c.y' }, bounds), [bound('m', member), bound('n', member)], {
    clock,
  });
  const send = (priority?: 'background', values: readonly number[] = [1, 2]) =>
    watch(graph.predict(rowsOf(...values), asking(clock, { priority })), clock);
  return { clock, graph, held, send };
}

describe('what is under way in a graph', () => {
  it('is at most so many requests', async () => {
    const { clock, send, held } = open({ maxInFlight: 2 });
    const answers = [send(), send(), send()];
    await clock.advance(0);
    expect(answers[2]?.error).toMatchObject({ code: 'QUEUE_FULL', retryAfterSeconds: 1, received: 2, expected: 2 });
    expect(held()).toBe(2);
    await clock.advance(30);
    expect(answers.map(({ value }) => value !== undefined)).toEqual([true, true, false]);
    const later = send();
    await clock.advance(30);
    expect(later.value).toBeDefined();
  });

  it('is at most a quarter of that in the background', async () => {
    const { clock, send } = open({ maxInFlight: 8 });
    const background = [send('background'), send('background'), send('background')];
    const online = send();
    await clock.advance(30);
    expect(background.map(({ value }) => value !== undefined)).toEqual([true, true, false]);
    expect(background[2]?.error).toMatchObject({ code: 'QUEUE_FULL' });
    expect(online.value).toBeDefined();
  });

  it('is at most so many bytes of tensors between steps, which are given back', async () => {
    // Two floats take 8 bytes; while a step reads one tensor, only that one is there.
    const { clock, send } = open({ maxInFlightBytes: 16 });
    const fits = [send(), send()];
    await clock.advance(5);
    const other = send();
    await clock.advance(5);
    const refused = send();
    await clock.advance(60);
    expect(fits.map(({ value }) => value !== undefined)).toEqual([true, true]);
    expect(refused.error).toMatchObject({ code: 'QUEUE_FULL', retryAfterSeconds: 1 });
    expect(other.error).toMatchObject({ code: 'QUEUE_FULL', step: 'a' });
    for (let round = 0; round < 3; round += 1) {
      const later = send();
      await clock.advance(30);
      expect(later.value).toBeDefined();
    }
  });

  it('drops a tensor after its last reader', async () => {
    const { clock, send } = open({ maxInFlightBytes: 16 });
    const fits = send(undefined, [1, 2, 3, 4]);
    await clock.advance(30);
    expect(fits.value).toBeDefined();
    const tooLarge = send(undefined, [1, 2, 3, 4, 5, 6]);
    await clock.advance(30);
    expect(tooLarge.error).toMatchObject({ code: 'QUEUE_FULL' });
  });

  it('is waited for before the graph is closed', async () => {
    const { clock, graph, send, held } = open({});
    const answer = send();
    await clock.advance(0);
    const closed = watch(graph.close(), clock);
    await clock.advance(29);
    expect(closed.done).toBe(false);
    await clock.advance(1);
    expect([closed.done, answer.value !== undefined, held()]).toEqual([true, true, 0]);
  });
});
