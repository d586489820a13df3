import { describe, expect, it } from 'vitest';
import { float32 } from '../../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { asking, bound, mapping, openGraph, rowsOf, watch } from '../graphs.ts';
import { call, model, plan } from '../plans.ts';

describe('a sequence of steps', () => {
  const clock = new VirtualClock();
  const addOne = mapping(clock, (element) => element + 1, { afterMs: 3 });
  const double = mapping(clock, (element) => 2 * element, { afterMs: 5 });
  const two = plan([model('a', call(0, 'input.x')), model('b', call(1, 'a.y'))], { result: 'b.y', between: 'a.y' });
  const { graph, held } = openGraph(two, [bound('add', addOne), bound('double', double)], { clock });

  it('gives what the members give one after the other', async () => {
    const answer = watch(graph.predict(rowsOf(1, 2, 3, 4), asking(clock)), clock);
    await clock.advance(8);
    expect(answer.value?.outputs).toEqual({
      result: float32([2, 2], [4, 6, 8, 10]),
      between: float32([2, 2], [2, 3, 4, 5]),
    });
    expect(answer.atMs).toBe(8);
    expect(held()).toBe(0);
  });

  it('takes as long as both, and says how long each step took', async () => {
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(8);
    expect(answer.value?.timings).toEqual({ queueMs: 0, batchMs: 0, inferMs: 8, batchRows: 1 });
    expect(answer.value?.steps).toEqual([
      { name: 'a', model: 'add', version: '1', outcome: 'ok', ms: 3 },
      { name: 'b', model: 'double', version: '1', outcome: 'ok', ms: 5 },
    ]);
  });

  it('runs only the steps that the wanted outputs need', async () => {
    const before = double.asked.length;
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { outputs: ['between'] })), clock);
    await clock.advance(3);
    expect(answer.value?.outputs).toEqual({ between: float32([1, 2], [2, 3]) });
    expect(double.asked.length).toBe(before);
  });

  it('gives its members the signal, the priority and everything else of the request', async () => {
    const context = asking(clock, { priority: 2, caller: { id: 'k', name: 'key' }, outputs: ['result'] });
    const answer = watch(graph.predict(rowsOf(1, 2), context), clock);
    await clock.advance(8);
    expect(answer.value?.outputs).toHaveProperty('result');
    const { outputs: _, ...shared } = context;
    expect(addOne.asked.at(-1)?.context).toEqual(shared);
    expect(addOne.asked.at(-1)?.context.signal).toBe(context.signal);
    expect(double.asked.at(-1)?.context.signal).toBe(context.signal);
  });
});
