import { describe, expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../../../src/errors.ts';
import type { StepReport } from '../../../../src/inference/predictor.ts';
import { float32 } from '../../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { always, asking, bound, mapping, openGraph, rowsOf, watch } from '../graphs.ts';
import { type CallOptions, call, model, plan } from '../plans.ts';

const failing = (code: ErrorCode) => new AppError(code, { message: 'no', retryAfterSeconds: 3 });

describe('a step that fails', () => {
  it('fails the request with its own code, and its faults under its name', async () => {
    const clock = new VirtualClock();
    const error = new AppError('VALIDATION_FAILED', {
      message: 'bad',
      faults: [{ location: ['inputs', 'x', 3], type: 'bad', message: 'bad' }],
    });
    const { graph } = openGraph(
      plan([model('a', call(0, 'input.x'))], { y: 'a.y' }),
      [bound('m', always(clock, { error }))],
      { clock },
    );
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({
      code: 'VALIDATION_FAILED',
      step: 'a',
      faults: [{ location: ['steps', 'a', 'inputs', 'x', 3] }],
      cause: error,
    });
  });

  it('has a path in a graph of a graph', async () => {
    const clock = new VirtualClock();
    const member = bound('m', always(clock, { error: failing('QUEUE_FULL') }));
    const inner = openGraph(plan([model('b', call(0, 'input.x'))], { y: 'b.y' }), [member], { clock });
    const { graph } = openGraph(plan([model('a', call(0, 'input.x'))], { y: 'a.y' }), [bound('inner', inner.graph)], {
      clock,
    });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({
      code: 'QUEUE_FULL',
      step: 'a.b',
      message: 'steps.a: steps.b: no',
      retryAfterSeconds: 3,
    });
  });

  it('is told to whoever counts, also of a request that fails', async () => {
    const clock = new VirtualClock();
    const reports: StepReport[] = [];
    const steps = [model('a', call(0, 'input.x')), model('b', call(1, 'a.y'))];
    const members = [bound('one', mapping(clock, Math.abs)), bound('two', mapping(clock, Math.abs, { afterMs: 50 }))];
    const { graph } = openGraph(plan(steps, { y: 'b.y' }), members, {
      clock,
      events: { onStep: (report) => reports.push(report) },
    });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { deadlineMs: 20 })), clock);
    await clock.advance(20);
    expect(answer.error).toMatchObject({ code: 'DEADLINE_EXCEEDED', step: 'b' });
    expect(reports).toEqual([
      { name: 'a', model: 'one', version: '1', outcome: 'ok', ms: 0 },
      { name: 'b', model: 'two', version: '1', outcome: 'timeout', ms: 20 },
    ]);
  });
});

describe('a fallback', () => {
  function open(clock: VirtualClock, first: Parameters<typeof bound>[1], options: CallOptions) {
    const second = mapping(clock, (element) => element + 100, { afterMs: 5 });
    const steps = [model('a', call(0, 'input.x', options))];
    const { graph } = openGraph(plan(steps, { y: 'a.y' }), [bound('first', first), bound('second', second)], { clock });
    return { graph, second };
  }
  const toSecond: CallOptions = { fallback: { member: 1 } };

  it.each(['QUEUE_FULL', 'RUNNER_DIED', 'DEADLINE_EXCEEDED', 'INTERNAL', 'REMOTE_FAILED', 'MODEL_NOT_READY'] as const)(
    'answers for %s',
    async (code) => {
      const clock = new VirtualClock();
      const { graph } = open(clock, always(clock, { error: failing(code), afterMs: 3 }), toSecond);
      const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
      await clock.advance(8);
      expect(answer.value?.outputs).toEqual({ y: float32([1, 2], [101, 102]) });
      expect(answer.value?.steps).toEqual([{ name: 'a', model: 'second', version: '1', outcome: 'fell_back', ms: 8 }]);
    },
  );

  it.each([
    'MODEL_REFUSED_INPUT',
    'MALFORMED_TENSOR',
    'INPUT_KILLED_RUNNER',
    'SIGNATURE_MISMATCH',
    'OUTPUTS_TOO_LARGE',
  ] as const)('does not answer for %s', async (code) => {
    const clock = new VirtualClock();
    const { graph, second } = open(clock, always(clock, { error: failing(code) }), toSecond);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(10);
    expect(answer.error).toMatchObject({ code, step: 'a' });
    expect(second.asked).toEqual([]);
  });

  it('answers after the time of its own that the step has', async () => {
    const clock = new VirtualClock();
    const { graph } = open(clock, mapping(clock, Math.abs, { afterMs: 1000 }), { ...toSecond, timeoutMs: 40 });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.atMs).toBe(45);
    expect(answer.value?.outputs).toEqual({ y: float32([1, 2], [101, 102]) });
  });

  it('has time left of the request, however long the member takes', async () => {
    const clock = new VirtualClock();
    const { graph } = open(clock, mapping(clock, Math.abs, { afterMs: 10_000 }), {
      fallback: { rows: { y: float32([1, 2], [8, 9]) } },
    });
    const answer = watch(graph.predict(rowsOf(1, 2, 3, 4), asking(clock, { deadlineMs: 100 })), clock);
    await clock.advance(100);
    expect(answer.value?.outputs).toEqual({ y: float32([2, 2], [8, 9, 8, 9]) });
  });

  it('gives literal rows that share no memory with the graph', async () => {
    const clock = new VirtualClock();
    const row = float32([1, 2], [8, 9]);
    const { graph } = open(clock, always(clock, { error: failing('QUEUE_FULL') }), { fallback: { rows: { y: row } } });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.value?.outputs['y']).toEqual(row);
    expect(answer.value?.outputs['y']?.data).not.toBe(row.data);
  });

  it('does not answer when the client is gone', async () => {
    const clock = new VirtualClock();
    const { graph, second } = open(clock, mapping(clock, Math.abs, { afterMs: 1000 }), toSecond);
    const client = new AbortController();
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { signal: client.signal })), clock);
    await clock.advance(5);
    client.abort();
    await clock.advance(5);
    expect(answer.error).toMatchObject({ code: 'CLIENT_GONE' });
    expect(second.asked).toEqual([]);
  });

  it('does not answer when the deadline of the request is over', async () => {
    const clock = new VirtualClock();
    const late = { ...bound('late', mapping(clock, Math.abs)), predict: () => rejectsAfter(clock, 200) };
    const second = mapping(clock, Math.abs);
    const steps = [model('a', call(0, 'input.x', toSecond))];
    const { graph } = openGraph(plan(steps, { y: 'a.y' }), [late, bound('second', second)], { clock });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { deadlineMs: 100 })), clock);
    await clock.advance(200);
    expect(answer.error).toMatchObject({ code: 'RUNNER_DIED' });
    expect(second.asked).toEqual([]);
  });

  it('that fails too leaves the error of the member', async () => {
    const clock = new VirtualClock();
    const steps = [model('a', call(0, 'input.x', toSecond))];
    const members = (['RUNNER_DIED', 'QUEUE_FULL'] as const).map((code) =>
      bound('m', always(clock, { error: failing(code) })),
    );
    const { graph } = openGraph(plan(steps, { y: 'a.y' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({ code: 'RUNNER_DIED' });
  });
});

function rejectsAfter(clock: VirtualClock, ms: number): Promise<never> {
  return new Promise((_, reject) => {
    clock.setTimer(ms, () => reject(failing('RUNNER_DIED')));
  });
}
