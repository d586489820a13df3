import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import { float32 } from '../../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { always, asking, bound, mapping, openGraph, rowsOf, watch } from '../graphs.ts';
import { call, combination, model, plan } from '../plans.ts';

const died = new AppError('RUNNER_DIED', { message: 'it died', retryAfterSeconds: 7 });
const refused = new AppError('MODEL_REFUSED_INPUT', { message: 'it does not like it' });

/** Members side by side whose mean is the answer. */
function ensemble(
  clock: VirtualClock,
  members: readonly Parameters<typeof bound>[1][],
  options: object,
  required = true,
) {
  const names = members.map((_, index) => `m${index}`);
  const steps = [
    ...names.map((name, index) => model(name, call(index, 'input.x'), { required })),
    combination(
      'mean',
      'mean',
      names.map((name) => `${name}.y`),
      options,
    ),
  ];
  const outputs = { value: 'mean.value', count: 'mean.count' };
  return openGraph(
    plan(steps, outputs),
    members.map((member, index) => bound(`model${index}`, member)),
    { clock },
  );
}

describe('steps that do not need each other', () => {
  it('run side by side', async () => {
    const clock = new VirtualClock();
    const one = mapping(clock, (element) => element, { afterMs: 10 });
    const three = mapping(clock, (element) => element + 2, { afterMs: 15 });
    const { graph } = ensemble(clock, [one, three], {});
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.value?.outputs).toEqual({
      value: float32([1, 2], [2, 3]),
      count: { datatype: 'INT64', shape: [1], data: BigInt64Array.of(2n) },
    });
    expect(answer.atMs).toBe(15);
  });

  it('have the timings of the one that the answer waited for', async () => {
    const clock = new VirtualClock();
    const { graph } = ensemble(
      clock,
      [mapping(clock, Math.abs, { afterMs: 10 }), mapping(clock, Math.abs, { afterMs: 15 })],
      {},
    );
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.value?.timings).toEqual({ queueMs: 0, batchMs: 0, inferMs: 15, batchRows: 1 });
  });

  it('are ended when one fails that is required, and have settled before the error', async () => {
    const clock = new VirtualClock();
    const slow = mapping(clock, Math.abs, { afterMs: 1000 });
    const { graph, held } = ensemble(clock, [slow, always(clock, { error: died, afterMs: 10 })], {});
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(10);
    expect(answer.error).toMatchObject({
      code: 'RUNNER_DIED',
      retryAfterSeconds: 7,
      message: 'steps.m1: it died',
      step: 'm1',
    });
    expect(slow.asked[0]?.context.signal.aborted).toBe(true);
    expect(held()).toBe(0);
  });

  it('are waited for where a member takes its time to settle', async () => {
    const clock = new VirtualClock();
    const stubborn = mapping(clock, Math.abs, { afterMs: 50 });
    const deaf = bound('deaf', stubborn);
    const steps = [model('a', call(0, 'input.x')), model('b', call(1, 'input.x'))];
    const members = [
      {
        ...deaf,
        predict: (inputs: never, context: never) =>
          deaf.predict(inputs, { ...(context as object), signal: AbortSignal.any([]) } as never),
      },
      bound('b', always(clock, { error: died })),
    ];
    const { graph, held } = openGraph(plan(steps, { y: 'a.y', z: 'b.y' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(49);
    expect(answer.done).toBe(false);
    expect(held()).toBe(1);
    await clock.advance(1);
    expect(answer.error).toMatchObject({ code: 'RUNNER_DIED' });
    expect(held()).toBe(0);
  });

  it('are all ended when the client is gone', async () => {
    const clock = new VirtualClock();
    const members = [mapping(clock, Math.abs, { afterMs: 1000 }), mapping(clock, Math.abs, { afterMs: 1000 })];
    const { graph, held } = ensemble(clock, members, {});
    const client = new AbortController();
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { signal: client.signal })), clock);
    await clock.advance(5);
    client.abort();
    await clock.advance(1);
    expect(answer.error).toMatchObject({ code: 'CLIENT_GONE', step: undefined });
    expect(members.map(({ asked }) => asked[0]?.context.signal.aborted)).toEqual([true, true]);
    expect(held()).toBe(0);
  });

  it('end members at once that only drop what is aborted when they are told to', async () => {
    const clock = new VirtualClock();
    let drop = () => {};
    const deaf = bound('deaf', mapping(clock, Math.abs), { dropAborted: () => drop() });
    const predict = () =>
      new Promise<never>((_, reject) => {
        drop = () => reject(new AppError('CLIENT_GONE', { message: 'dropped' }));
      });
    const steps = [model('a', call(0, 'input.x')), model('b', call(1, 'input.x'))];
    const { graph } = openGraph(
      plan(steps, { y: 'a.y', z: 'b.y' }),
      [{ ...deaf, predict }, bound('b', always(clock, { error: died }))],
      { clock },
    );
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({ code: 'RUNNER_DIED' });
  });
});

describe('a combination that can do without some of its steps', () => {
  it('takes what is there when the quorum is met', async () => {
    const clock = new VirtualClock();
    const members = [
      mapping(clock, Math.abs),
      always(clock, { error: died }),
      mapping(clock, (element) => element + 2),
    ];
    const { graph } = ensemble(clock, members, { quorum: 2 }, false);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.value?.outputs['value']).toEqual(float32([1, 2], [2, 3]));
    expect(answer.value?.outputs['count']?.data).toEqual(BigInt64Array.of(2n));
    expect(answer.value?.steps?.map(({ name, outcome }) => [name, outcome])).toEqual(
      expect.arrayContaining([
        ['m1', 'failed'],
        ['mean', 'ok'],
      ]),
    );
  });

  it('fails as soon as the quorum cannot be met, and says why', async () => {
    const clock = new VirtualClock();
    const slow = mapping(clock, Math.abs, { afterMs: 500 });
    const members = [always(clock, { error: died }), always(clock, { error: refused, afterMs: 3 }), slow];
    const { graph } = ensemble(clock, members, { quorum: 2 }, false);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(3);
    expect(answer.error).toMatchObject({
      code: 'QUORUM_NOT_REACHED',
      kind: 'overloaded',
      retryAfterSeconds: 7,
      step: 'mean',
    });
    expect(String(answer.error)).toContain('steps.m0: it died; steps.m1: it does not like it');
  });

  it('keeps to itself what an internal error says', async () => {
    const clock = new VirtualClock();
    const secret = new AppError('INTERNAL', { message: '/root/secret' });
    const { graph } = ensemble(clock, [always(clock, { error: secret })], {}, false);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({ code: 'QUORUM_NOT_REACHED' });
    expect(String(answer.error)).not.toContain('secret');
  });

  it('refuses an input that all of its steps refuse', async () => {
    const clock = new VirtualClock();
    const { graph } = ensemble(
      clock,
      [always(clock, { error: refused }), always(clock, { error: refused })],
      { quorum: 1 },
      false,
    );
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({ code: 'MODEL_REFUSED_INPUT', kind: 'invalid' });
  });

  it('gives the rest its time once the quorum is met, and then ends it', async () => {
    const clock = new VirtualClock();
    const hung = mapping(clock, Math.abs, { afterMs: 5000 });
    const members = [mapping(clock, Math.abs, { afterMs: 50 }), mapping(clock, Math.abs, { afterMs: 52 }), hung];
    const { graph, held } = ensemble(clock, members, { quorum: 2, waitMs: 10 }, false);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.atMs).toBe(62);
    expect(answer.value?.outputs['count']?.data).toEqual(BigInt64Array.of(2n));
    expect(answer.value?.steps).toContainEqual({
      name: 'm2',
      model: 'model2',
      version: '1',
      outcome: 'skipped',
      ms: 62,
    });
    expect(hung.asked[0]?.context.signal.aborted).toBe(true);
    expect(held()).toBe(0);
  });

  it('takes the rest that comes in its time', async () => {
    const clock = new VirtualClock();
    const members = [50, 52, 59].map((afterMs) => mapping(clock, Math.abs, { afterMs }));
    const { graph } = ensemble(clock, members, { quorum: 2, waitMs: 10 }, false);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.atMs).toBe(59);
    expect(answer.value?.outputs['count']?.data).toEqual(BigInt64Array.of(3n));
  });

  it('answers in time though a step hangs until the deadline', async () => {
    const clock = new VirtualClock();
    const members = [mapping(clock, Math.abs, { afterMs: 5 }), mapping(clock, Math.abs, { afterMs: 5000 })];
    const { graph } = ensemble(clock, members, { quorum: 1 }, false);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { deadlineMs: 100 })), clock);
    await clock.advance(100);
    expect(answer.value?.outputs['count']?.data).toEqual(BigInt64Array.of(1n));
    expect(answer.atMs).toBeLessThan(100);
  });

  it('does without what needs a step that failed', async () => {
    const clock = new VirtualClock();
    const after = mapping(clock, Math.abs);
    const steps = [
      model('a', call(0, 'input.x'), { required: false }),
      model('b', call(1, 'a.y'), { required: false }),
      model('c', call(2, 'input.x')),
      combination('mean', 'mean', ['b.y', 'c.y'], { quorum: 1 }),
    ];
    const members = [always(clock, { error: died }), after, mapping(clock, Math.abs)].map((member) =>
      bound('m', member),
    );
    const { graph } = openGraph(plan(steps, { y: 'mean.value' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.value?.outputs['y']).toEqual(float32([1, 2], [1, 2]));
    expect(after.asked).toEqual([]);
    expect(answer.value?.steps).toContainEqual({ name: 'b', model: 'm', version: '1', outcome: 'skipped', ms: 0 });
  });

  it('does not end a step that something else still needs', async () => {
    const clock = new VirtualClock();
    const slow = mapping(clock, (element) => -element, { afterMs: 30 });
    const steps = [
      model('a', call(0, 'input.x'), { required: false }),
      model('b', call(1, 'input.x'), { required: false }),
      combination('fast', 'fastest', ['a', 'b'], { outputs: [] }),
    ];
    const members = [bound('a', mapping(clock, Math.abs, { afterMs: 5 })), bound('b', slow)];
    const { graph } = openGraph(plan(steps, { y: 'fast.y', slow: 'b.y' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(30);
    expect(answer.value?.outputs).toEqual({ y: float32([1, 2], [1, 2]), slow: float32([1, 2], [-1, -2]) });
  });
});

describe.each(['first', 'fastest'] as const)('%s', (combine) => {
  function open(clock: VirtualClock, members: readonly Parameters<typeof bound>[1][]) {
    const names = members.map((_, index) => `m${index}`);
    const steps = [
      ...names.map((name, index) => model(name, call(index, 'input.x'), { required: false })),
      combination('c', combine, names),
    ];
    return openGraph(
      plan(steps, { y: 'c.y' }),
      members.map((member) => bound('m', member)),
      { clock },
    );
  }

  it(`takes ${combine === 'first' ? 'the earliest of its steps that succeeds' : 'what is there first'}`, async () => {
    const clock = new VirtualClock();
    const members = [
      always(clock, { error: died, afterMs: 20 }),
      mapping(clock, (element) => element + 1, { afterMs: 30 }),
      mapping(clock, (element) => element + 2, { afterMs: 10 }),
      mapping(clock, (element) => element + 3, { afterMs: 500 }),
    ];
    const { graph } = open(clock, members);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(100);
    const [plus, atMs] = combine === 'first' ? [1, 30] : [2, 10];
    expect(answer.value?.outputs).toEqual({ y: float32([1, 2], [1 + plus, 2 + plus]) });
    expect(answer.atMs).toBe(atMs);
    expect(members[3]?.asked[0]?.context.signal.aborted).toBe(true);
  });

  it('fails as the one that failed first, when all have', async () => {
    const clock = new VirtualClock();
    const late = new AppError('DEADLINE_EXCEEDED', { message: 'late' });
    const { graph } = open(clock, [
      always(clock, { error: died, afterMs: 20 }),
      always(clock, { error: late, afterMs: 10 }),
    ]);
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.error).toMatchObject({ code: 'DEADLINE_EXCEEDED', step: 'c' });
    expect(String(answer.error)).toContain('steps.m0: it died');
  });
});
