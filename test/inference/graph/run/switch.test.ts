import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import type { GraphEvents } from '../../../../src/inference/graph/run/graph-events.ts';
import { float32, type Tensor } from '../../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { always, asking, type BoundOptions, bound, mapping, openGraph, rowsOf, watch } from '../graphs.ts';
import {
  anything,
  call,
  model,
  plan,
  requestRule,
  rowRule,
  type SwitchOptions,
  switching,
  use,
  wire,
} from '../plans.ts';

type Options = Pick<SwitchOptions, 'arms' | 'otherwise' | 'outputs' | 'required'>;

/** A graph of one switch; the members add 10, 20 and 30. */
function open(
  options: Options,
  { bounds = [], events = {} }: { bounds?: readonly BoundOptions[]; events?: GraphEvents } = {},
) {
  const clock = new VirtualClock();
  const predictors = [10, 20, 30].map((plus, index) =>
    mapping(clock, (element) => element + plus, { afterMs: 5 * (index + 1) }),
  );
  const members = predictors.map((predictor, index) => bound(`m${index}`, predictor, bounds[index]));
  const graphPlan = plan([switching('s', options)], { y: 's.y' }, { headers: ['x-tier'] });
  return { clock, predictors, ...openGraph(graphPlan, members, { clock, events }) };
}

const negative = rowRule('input.x', (element) => element < 0);
const large = rowRule('input.x', (element) => element > 100);
const threeArms: Options = {
  arms: [
    { rule: negative, target: call(0, 'input.x') },
    { rule: large, target: call(1, 'input.x') },
  ],
  otherwise: call(2, 'input.x'),
};

describe('a switch whose rules read tensors', () => {
  it('sends each row to its arm, side by side, and gives the rows in their order', async () => {
    const routes: unknown[] = [];
    const { clock, graph, predictors } = open(threeArms, { events: { onRoute: (...route) => routes.push(route) } });
    const answer = watch(graph.predict(rowsOf(1, 2, -1, -2, 200, 201, 3, 4, -5, 6), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.value?.outputs['y']).toEqual(float32([5, 2], [31, 32, 9, 8, 220, 221, 33, 34, 5, 16]));
    expect(answer.atMs).toBe(15);
    expect(answer.value?.timings).toMatchObject({ inferMs: 15 });
    expect(predictors.map(({ asked }) => asked[0]?.inputs['x']?.shape)).toEqual([
      [2, 2],
      [1, 2],
      [2, 2],
    ]);
    expect(routes).toEqual([
      ['s', '0', 2],
      ['s', '1', 1],
      ['s', 'otherwise', 2],
    ]);
    expect(answer.value?.steps).toEqual([
      { name: 's', model: 'm0', version: '1', arm: '0', outcome: 'ok', ms: 5 },
      { name: 's', model: 'm1', version: '1', arm: '1', outcome: 'ok', ms: 10 },
      { name: 's', model: 'm2', version: '1', arm: 'otherwise', outcome: 'ok', ms: 15 },
    ]);
  });

  it('lets others go on between many rows', async () => {
    let othersFirst: number | undefined;
    let othersWent = false;
    const rule = rowRule('input.x', (row) => {
      if (row === 0) {
        setImmediate(() => {
          othersWent = true;
        });
      }
      // Longer than a slice.
      const untilMs = performance.now() + (row % 200 === 100 ? 10 : 0);
      while (performance.now() < untilMs);
      if (othersWent) othersFirst ??= row;
      return true;
    });
    const { clock, graph } = open({ arms: [{ rule, target: use({ y: 'input.x' }) }], otherwise: call(0, 'input.x') });
    const rows = Array.from({ length: 1000 }, (_, row) => [row, row]);
    await graph.predict(rowsOf(...rows.flat()), asking(clock));
    expect(othersFirst).toBeGreaterThan(0);
  });

  it('decides no more rows when the client has gone or the deadline has passed', async () => {
    const rows = rowsOf(...Array.from({ length: 2000 }, () => 1));
    let decided = 0;
    const endingAtTen = (end: () => void) =>
      rowRule('input.x', () => {
        decided += 1;
        if (decided === 10) end();
        return true;
      });
    const target = use({ y: 'input.x' });
    const controller = new AbortController();
    const gone = open({ arms: [{ rule: endingAtTen(() => controller.abort()), target }], otherwise: target });
    const asked = gone.graph.predict(rows, asking(gone.clock, { signal: controller.signal }));
    await expect(asked).rejects.toMatchObject({ code: 'CLIENT_GONE' });
    expect(decided).toBeLessThan(1000);

    decided = 0;
    const clock = new VirtualClock();
    const late = open({ arms: [{ rule: endingAtTen(() => late.clock.stall(10)), target }], otherwise: target });
    const waited = late.graph.predict(rows, asking(late.clock, { deadlineMs: clock.now() + 5 }));
    await expect(waited).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(decided).toBeLessThan(1000);
  });

  it('does not run an arm without rows, and gives the whole tensor to one with all', async () => {
    const { clock, graph, predictors } = open(threeArms);
    const inputs = rowsOf(-1, 2, -3, 4);
    const answer = watch(graph.predict(inputs, asking(clock)), clock);
    await clock.advance(100);
    expect(answer.value?.outputs['y']).toEqual(float32([2, 2], [9, 12, 7, 14]));
    expect(predictors.map(({ asked }) => asked.length)).toEqual([1, 0, 0]);
    expect(predictors[0]?.asked[0]?.inputs['x']).toBe(inputs.x);
  });

  it('gives no rows for no rows, in the right shape, and runs nothing', async () => {
    const steps = [
      model('a', call(0, 'input.x')),
      switching('s', { ...threeArms, arms: [{ rule: rowRule('a.y', Boolean), target: call(1, 'a.y') }] }),
    ];
    const clock = new VirtualClock();
    const members = [0, 1, 2].map((index) =>
      bound(`m${index}`, mapping(clock, Math.abs), { independentRows: index !== 0 }),
    );
    const { graph } = openGraph(plan(steps, { y: 's.y' }), members, { clock });
    const answer = watch(graph.predict({ x: float32([0, 2], []) }, asking(clock)), clock);
    await clock.advance(100);
    expect(answer.value?.outputs).toEqual({ y: float32([0, 2], []) });
  });

  it('refuses rows that no rule takes, and names them, before anything runs', async () => {
    const { clock, graph, predictors } = open({ arms: threeArms.arms, otherwise: 'refuse' });
    const answer = watch(graph.predict(rowsOf(1, 2, -1, -2, 3, 4), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.error).toMatchObject({
      code: 'NO_ROUTE',
      step: 's',
      message: 'steps.s: no rule takes rows 0, 2',
      received: [0, 2],
      faults: [
        { location: ['steps', 's', 'rows', 0], type: 'no_route' },
        { location: ['steps', 's', 'rows', 2], type: 'no_route' },
      ],
    });
    expect(predictors.flatMap(({ asked }) => asked)).toEqual([]);
  });

  it('counts a rule that fails as false, and tells of it', async () => {
    const failures: unknown[] = [];
    const throws = rowRule('input.x', (element) => {
      if (element === 1) throw new Error('division by zero');
      return true;
    });
    const options: Options = { arms: [{ rule: throws, target: call(0, 'input.x') }], otherwise: call(1, 'input.x') };
    const { clock, graph } = open(options, { events: { onRuleError: (...failure) => failures.push(failure) } });
    const answer = watch(graph.predict(rowsOf(1, 1, 2, 2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.value?.outputs['y']).toEqual(float32([2, 2], [21, 21, 12, 12]));
    expect(failures).toEqual([['s', '0']]);
  });

  it('ends the other arms when one fails', async () => {
    const clock = new VirtualClock();
    const slow = mapping(clock, Math.abs, { afterMs: 1000 });
    const died = new AppError('RUNNER_DIED', { message: 'it died' });
    const members = [bound('a', always(clock, { error: died, afterMs: 7 })), bound('b', slow), bound('c', slow)];
    const { graph, held } = openGraph(plan([switching('s', threeArms)], { y: 's.y' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(1, 2, -1, -2), asking(clock)), clock);
    await clock.advance(7);
    expect(answer.error).toMatchObject({ code: 'RUNNER_DIED', step: 's' });
    expect(slow.asked[0]?.context.signal.aborted).toBe(true);
    expect(held()).toBe(0);
  });

  it('falls back for the rows of an arm alone', async () => {
    const clock = new VirtualClock();
    const died = new AppError('RUNNER_DIED', { message: 'it died' });
    const members = [bound('a', always(clock, { error: died })), bound('b', mapping(clock, Math.abs))];
    const options: Options = {
      arms: [{ rule: negative, target: call(0, 'input.x', { fallback: { rows: { y: float32([1, 2], [7, 7]) } } }) }],
      otherwise: call(1, 'input.x'),
    };
    const { graph } = openGraph(plan([switching('s', options)], { y: 's.y' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(-1, -2, 1, 2, -3, -4), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.value?.outputs['y']).toEqual(float32([3, 2], [7, 7, 1, 2, 7, 7]));
  });

  it('refuses to cut the rows of a member whose rows have been found to change each other', async () => {
    const { clock, graph } = open(threeArms, { bounds: [{ independentRows: false }] });
    const answer = watch(graph.predict(rowsOf(1, 2, -1, -2), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.error).toMatchObject({ code: 'MODEL_NOT_READY' });
  });

  it('refuses arms that give rows of unlike shapes', async () => {
    const clock = new VirtualClock();
    const free = { outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, -1] }] } as const;
    const wide = always(clock, { outputs: { y: float32([1, 3], [1, 2, 3]) } });
    const members = [bound('a', wide), bound('b', mapping(clock, Math.abs))];
    const options: Options = {
      arms: [{ rule: negative, target: call(0, 'input.x') }],
      otherwise: call(1, 'input.x'),
      ...free,
    };
    const { graph } = openGraph(plan([switching('s', options)], { y: 's.y' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(1, 2, -1, -2), asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({ code: 'STEP_MISMATCH', step: 's' });
  });
});

/** The headers of a request, as a transport gives them. */
function sent(headers: Readonly<Record<string, string>> = {}) {
  return { get: (name: string) => headers[name] };
}

describe('a switch whose rules read the request', () => {
  const gold = requestRule(({ headers }) => headers['x-tier'] === 'gold');
  const options: Options = { arms: [{ rule: gold, target: call(0, 'input.x') }], otherwise: call(1, 'input.x') };

  it.each([
    [{ 'x-tier': 'gold', other: 'secret' }, 11],
    [{ 'x-tier': 'tin' }, 21],
    [undefined, 21],
  ])('is decided once, with the headers %j', async (headers, expected) => {
    const { clock, graph } = open(options);
    const answer = watch(graph.predict(rowsOf(1, 1, 1, 1), asking(clock, { headers: sent(headers) })), clock);
    await clock.advance(100);
    expect(answer.value?.outputs['y']).toEqual(float32([2, 2], [expected, expected, expected, expected]));
  });

  it('shows rules the key, the moment and the rows, and no header that is not declared', async () => {
    const seen: unknown[] = [];
    const rule = requestRule((request) => seen.push(request) > 0);
    const { clock, graph } = open({ ...options, arms: [{ rule, target: call(0, 'input.x') }] });
    const caller = { id: 'k1', name: 'partner' };
    watch(
      graph.predict(rowsOf(1, 1, 1, 1), asking(clock, { headers: sent({ other: 'x' }), caller, arrivedAt: 5 })),
      clock,
    );
    await clock.advance(100);
    expect(seen).toEqual([{ headers: { 'x-tier': '' }, key: caller, now: new Date(5), rows: 2 }]);
  });

  it('has no key where there are none', async () => {
    const seen: unknown[] = [];
    const rule = requestRule(({ key }) => seen.push(key) > 0);
    const { clock, graph } = open({ ...options, arms: [{ rule, target: call(0, 'input.x') }] });
    watch(graph.predict(rowsOf(1, 1), asking(clock)), clock);
    await clock.advance(100);
    expect(seen).toEqual([{ id: '', name: '' }]);
  });

  it('refuses a request that no rule takes', async () => {
    const { clock, graph } = open({ ...options, otherwise: 'refuse' });
    const answer = watch(graph.predict(rowsOf(1, 1), asking(clock)), clock);
    await clock.advance(100);
    expect(answer.error).toMatchObject({
      code: 'NO_ROUTE',
      message: 'steps.s: no rule takes the request',
      kind: 'invalid',
    });
  });

  it('gives tensors that are there, which share no memory with the inputs', async () => {
    const { clock, graph, predictors } = open({
      arms: [{ rule: requestRule(() => true), target: use({ y: 'input.x' }) }],
      otherwise: use({ y: wire({ row: float32([1, 2], [0, 0]) }) }),
    });
    const inputs = rowsOf(1, 2, 3, 4);
    const answer = watch(graph.predict(inputs, asking(clock)), clock);
    await clock.advance(0);
    expect(answer.value?.outputs['y']).toEqual(inputs.x);
    expect((answer.value?.outputs['y'] as Tensor | undefined)?.data).not.toBe(inputs.x.data);
    expect(predictors.flatMap(({ asked }) => asked)).toEqual([]);
  });

  it('reads only what the wanted outputs are made of', async () => {
    const clock = new VirtualClock();
    const unused = mapping(clock, Math.abs);
    const steps = [
      model('a', call(0, 'input.x')),
      model('b', call(1, 'input.x')),
      switching('s', {
        arms: [{ rule: requestRule(() => true), target: use({ y: 'a.y', z: 'b.y' }) }],
        otherwise: 'refuse',
        outputs: ['y', 'z'].map(anything),
      }),
    ];
    const members = [
      bound(
        'a',
        mapping(clock, (element) => element + 1),
      ),
      bound('b', unused),
    ];
    const { graph } = openGraph(plan(steps, { y: 's.y', z: 's.z' }), members, { clock });
    const answer = watch(graph.predict(rowsOf(1, 2), asking(clock, { outputs: ['y'] })), clock);
    await clock.advance(0);
    expect(answer.value?.outputs).toEqual({ y: float32([1, 2], [2, 3]) });
    expect(unused.asked).toEqual([]);
  });
});
