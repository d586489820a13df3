import { describe, expect, it } from 'vitest';
import type { PlannedWire } from '../../../../src/inference/graph/graph-plan.ts';
import type { TensorSpec } from '../../../../src/tensor/tensor.ts';
import { float32, int32, int64, type Tensor, text } from '../../../../src/tensor/tensor.ts';
import { FakePredictor } from '../../../helpers/fake-predictor.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { asking, bound, openGraph, watch } from '../graphs.ts';
import { call, model, plan, source } from '../plans.ts';

/** What a member gets of an input of a graph that comes by a wire. */
async function through(given: Tensor, adapters: Partial<PlannedWire>, to: Omit<TensorSpec, 'name'>) {
  const clock = new VirtualClock();
  const spec = { name: 'x', ...to };
  const signature = { inputs: [spec], outputs: [{ ...spec, name: 'y' }] };
  const member = new FakePredictor({ clock, signature, outcome: ({ x }) => ({ outputs: { ...(x && { y: x }) } }) });
  const ofCall = call(0, { x: { from: source('input.v'), to: spec, ...adapters } });
  const graphPlan = plan(
    [model('a', ofCall, { outputs: signature.outputs })],
    { y: 'a.y' },
    {
      rowWise: false,
      signature: { inputs: [{ name: 'v', datatype: given.datatype, shape: [] }], outputs: signature.outputs },
    },
  );
  const { graph } = openGraph(graphPlan, [bound('m', member)], { clock });
  const answer = watch(graph.predict({ v: given }, asking(clock)), clock);
  await clock.advance(0);
  return { got: member.asked[0]?.inputs['x'], error: answer.error };
}

describe('a wire', () => {
  it('leads to an input of any name', async () => {
    const clock = new VirtualClock();
    const name = '__proto__';
    const spec = { name, datatype: 'FP32' as const, shape: [-1, 2] };
    const signature = { inputs: [spec], outputs: [spec] };
    const member = new FakePredictor({
      clock,
      signature,
      outcome: (inputs) => ({ outputs: { [name]: inputs[name] ?? float32([0, 2], []) } }),
    });
    const wires = { [name]: { from: source('input.v'), to: spec } };
    const { graph } = openGraph(
      plan(
        [model('a', call(0, wires), { outputs: [spec] })],
        { [name]: 'a.__proto__' },
        {
          signature: { inputs: [{ ...spec, name: 'v' }], outputs: [spec] },
        },
      ),
      [bound('m', member)],
      { clock },
    );
    const { outputs } = await graph.predict({ v: float32([1, 2], [1, 2]) }, asking(clock));
    expect(Object.entries(outputs)).toEqual([['__proto__', float32([1, 2], [1, 2])]]);
  });

  it('casts, then reshapes, then picks columns', async () => {
    const { got } = await through(
      float32([2, 4], [1.9, -1.9, 3, 4, 5, 6, 7, 8]),
      { cast: 'INT32', reshape: [-1, 2, 2], columns: [1] },
      { datatype: 'INT32', shape: [-1, 2, 1] },
    );
    expect(got).toEqual(int32([2, 2, 1], [-1, 4, 6, 8]));
  });

  it('picks columns in their order, as often as they are named', async () => {
    const { got } = await through(
      text([2, 3], ['a', 'b', 'c', 'd', 'e', 'f']),
      { columns: [2, 0, 2] },
      { datatype: 'BYTES', shape: [-1, 3] },
    );
    expect(got).toEqual(text([2, 3], ['c', 'a', 'c', 'f', 'd', 'f']));
  });

  it('works out a free dimension of a row', async () => {
    const { got } = await through(
      float32([1, 6], [1, 2, 3, 4, 5, 6]),
      { reshape: [-1, 2, -1] },
      { datatype: 'FP32', shape: [-1, 2, 3] },
    );
    expect(got?.shape).toEqual([1, 2, 3]);
  });

  it('keeps the shape of rows where there are none', async () => {
    const { got } = await through(
      float32([0, 4], []),
      { reshape: [-1, 2, 2], columns: [0] },
      { datatype: 'FP32', shape: [-1, 2, 1] },
    );
    expect(got).toEqual(float32([0, 2, 1], []));
  });

  it('repeats a literal for each row', async () => {
    const row = text([1, 2], ['a', 'b']);
    const { got } = await through(float32([3, 1], [0, 0, 0]), { from: { row } }, { datatype: 'BYTES', shape: [-1, 2] });
    expect(got).toEqual(text([3, 2], ['a', 'b', 'a', 'b', 'a', 'b']));
  });

  it.each<[string, Tensor, Partial<PlannedWire>]>([
    ['elements', float32([2, 3], [1, 2, 3, 4, 5, 6]), { reshape: [-1, 2] }],
    ['columns', float32([2, 3], [1, 2, 3, 4, 5, 6]), { columns: [0, 3] }],
    ['shape', float32([2, 3], [1, 2, 3, 4, 5, 6]), {}],
  ])('refuses an input of the request that has not the %s', async (_, given, adapters) => {
    const { got, error } = await through(given, adapters, { datatype: 'FP32', shape: [-1, 2] });
    expect(got).toBeUndefined();
    expect(error).toMatchObject({
      code: 'SIGNATURE_MISMATCH',
      step: 'a',
      faults: [{ location: ['steps', 'a', 'in', 'x'], type: 'wrong_shape' }],
    });
  });

  it('that a step leads to with another shape is a fault of the graph', async () => {
    const clock = new VirtualClock();
    const free = { name: 'y', datatype: 'FP32', shape: [-1, -1] } as const;
    const signature = { inputs: [{ ...free, name: 'x' }], outputs: [free] };
    const member = new FakePredictor({ clock, signature, outcome: ({ x }) => ({ outputs: { ...(x && { y: x }) } }) });
    const graphPlan = plan(
      [
        model('a', call(0, { x: { from: source('input.x'), to: signature.inputs[0] ?? free } })),
        model('b', call(0, 'a.y')),
      ],
      { y: 'b.y' },
      { signature },
    );
    const { graph } = openGraph(graphPlan, [bound('m', member)], { clock });
    const answer = watch(graph.predict({ x: float32([1, 3], [1, 2, 3]) }, asking(clock)), clock);
    await clock.advance(0);
    expect(answer.error).toMatchObject({
      code: 'STEP_MISMATCH',
      kind: 'internal',
      step: 'b',
      received: 'FP32 [1,3]',
      expected: 'FP32 [-1,2]',
    });
  });

  it('names the element that cannot be cast', async () => {
    const { error } = await through(
      float32([2, 2], [1, 2, 3, Number.NaN]),
      { cast: 'INT64' },
      { datatype: 'INT64', shape: [-1, 2] },
    );
    expect(error).toMatchObject({
      code: 'MODEL_REFUSED_INPUT',
      kind: 'invalid',
      step: 'a',
      message: 'steps.a: in.x: element 3 is NaN (FP32), which is no INT64',
      faults: [{ location: ['steps', 'a', 'in', 'x', 3] }],
    });
  });

  it('leads to a member what it is where nothing is to be adapted', async () => {
    const given = int64([1, 1], [2n ** 60n]);
    const { got } = await through(given, {}, { datatype: 'INT64', shape: [-1, 1] });
    expect(got).toBe(given);
  });
});
