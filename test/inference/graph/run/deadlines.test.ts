import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../virtual-clock.ts';
import { asking, bound, mapping, openGraph, rowsOf, watch } from '../graphs.ts';
import { call, combination, model, plan } from '../plans.ts';

describe('the deadline of a request', () => {
  const steps = [
    model('a', call(0, 'input.x')),
    model('b', call(1, 'a.y', { timeoutMs: 15 })),
    model('c', call(2, 'a.y', {}), { required: false }),
    combination('mean', 'mean', ['b.y', 'c.y'], { quorum: 1 }),
    model(
      'd',
      call(3, { x: { from: { step: 'mean', tensor: 'value' }, to: { name: 'x', datatype: 'FP32', shape: [-1, 2] } } }),
    ),
  ];
  const graphPlan = plan(steps, { y: 'd.y' });
  const costs = [10, 20, 500, 30];

  function open() {
    const clock = new VirtualClock();
    const predictors = [0, 1, 2, 3].map(() => mapping(clock, Math.abs, { afterMs: 1 }));
    const members = predictors.map((predictor, index) =>
      bound(`m${index}`, predictor, { leastMs: (rows) => rows * (costs[index] ?? 0) }),
    );
    return { clock, predictors, ...openGraph(graphPlan, members, { clock }) };
  }

  it('leaves each step what those after it cost at least', async () => {
    const { clock, predictors, graph } = open();
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { deadlineMs: 100 })), clock);
    await clock.advance(10);
    expect(answer.value).toBeDefined();
    const [a, b, c, d] = predictors.map(({ asked }) => asked[0]?.context.deadlineMs);
    // The optional step costs more than anybody has time for, and does not count.
    expect(a).toBeLessThanOrEqual(100 - 50);
    expect(b).toBe(1 + 15);
    expect(c).toBeLessThan(100 - 30);
    expect(c).toBeGreaterThan(100 - 30 - 10);
    expect(d).toBe(100);
  });

  it('that cannot be met is refused before anything runs', async () => {
    const { clock, predictors, graph, held } = open();
    const answer = watch(graph.predict(rowsOf(1, 2, 3, 4), asking(clock, { deadlineMs: 119 })), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({ code: 'DEADLINE_UNREACHABLE', retryAfterSeconds: 1 });
    expect(String(answer.error)).toContain('at least 120 ms, and the deadline is in 119 ms');
    expect(predictors.flatMap(({ asked }) => asked)).toEqual([]);
    expect(held()).toBe(0);
  });

  it('that looks unreachable is tried now and then, as costs may be wrong', async () => {
    const { clock, graph } = open();
    await clock.advance(10_000);
    const tried = watch(graph.predict(rowsOf(1, 2), asking(clock, { deadlineMs: clock.now() + 55 })), clock);
    const refused = watch(graph.predict(rowsOf(1, 2), asking(clock, { deadlineMs: clock.now() + 55 })), clock);
    await clock.advance(60);
    expect(refused.error).toMatchObject({ code: 'DEADLINE_UNREACHABLE' });
    expect(tried.error ?? tried.value).not.toMatchObject({ code: 'DEADLINE_UNREACHABLE' });
  });

  it('is told of a graph within a graph', () => {
    expect(open().graph.leastMs(2)).toBe(120);
  });
});
