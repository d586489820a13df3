import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float32, type Tensor } from '../../../src/tensor/tensor.ts';
import { localRunners } from '../../helpers/local-runner.ts';
import type { Node, Tensor as OnnxTensor } from '../../helpers/onnx-model.ts';
import { context, openModel, outputsOf } from '../models.ts';
import { floats, floatValue, integers, modelFile } from './models.ts';

/** Operators from `[n, 3]` to `[n, 3]`: what they read is `from`, what they give is `to`. */
type Step = (from: string, to: string) => readonly Node[];

const along = (axis: number) => [{ name: 'axis', int: axis }];
const unary =
  (op: string, attributes: Node['attributes'] = []): Step =>
  (from, to) => [{ op, inputs: [from], outputs: [to], attributes }];
const binary =
  (op: string, other: string): Step =>
  (from, to) => [{ op, inputs: [from, other], outputs: [to] }];
const lessReduced =
  (op: string, axes: string): Step =>
  (from, to) => [
    { op, inputs: [from, axes], outputs: [`${to}r`] },
    { op: 'Sub', inputs: [from, `${to}r`], outputs: [to] },
  ];

const rowwise: Readonly<Record<string, Step>> = {
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  matrix: binary('MatMul', 'matrix'),
  bias: binary('Add', 'bias'),
  softmax: unary('Softmax', along(1)),
  centre: lessReduced('ReduceMean', 'one'),
  largest: lessReduced('ReduceMax', 'one'),
};

const acrossRows: Readonly<Record<string, Step>> = {
  softmax0: unary('Softmax', along(0)),
  centre0: lessReduced('ReduceMean', 'zero'),
  largest0: lessReduced('ReduceMax', 'zero'),
  running: binary('CumSum', 'axis'),
  first: (from, to) => [
    { op: 'Gather', inputs: [from, 'zero'], outputs: [`${to}f`] },
    { op: 'Sub', inputs: [from, `${to}f`], outputs: [to] },
  ],
  reversed: (from, to) => [{ op: 'Slice', inputs: [from, 'end', 'start', 'zero', 'back'], outputs: [to] }],
  similar: (from, to) => [
    { op: 'Transpose', inputs: [from], outputs: [`${to}t`], attributes: [{ name: 'perm', ints: [1, 0] }] },
    { op: 'MatMul', inputs: [from, `${to}t`], outputs: [`${to}p`] },
    { op: 'MatMul', inputs: [`${to}p`, from], outputs: [to] },
  ],
};

const initializers: readonly OnnxTensor[] = [
  floats('matrix', [0.5, -1, 2, 1, 0.3, -0.7, 0.1, 1, 1], [3, 3]),
  floats('bias', [0.1, -2, 1]),
  integers('zero', [0]),
  integers('one', [1]),
  integers('axis', [0], []),
  integers('end', [-1]),
  integers('start', [-1_000_000]),
  integers('back', [-1]),
];

async function open(names: readonly string[]) {
  const steps = { ...rowwise, ...acrossRows };
  const nodes = names.flatMap((name, at) => {
    const last = at === names.length - 1;
    return steps[name]?.(at === 0 ? 'x' : `v${at - 1}`, last ? 'y' : `v${at}`) ?? [];
  });
  const path = await modelFile({
    inputs: { x: floatValue('n', 3) },
    outputs: { y: floatValue('n', 3) },
    initializers,
    nodes,
  });
  return (await openModel('linear', { path, batching: { maxSize: 8 } }, localRunners())).model;
}

const names = fc.array(fc.constantFrom(...Object.keys(rowwise), ...Object.keys(acrossRows)), {
  minLength: 1,
  maxLength: 4,
});
const requests = fc.array(
  fc
    .integer({ min: 1, max: 12 })
    .chain((rows) =>
      fc
        .array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3 * rows, maxLength: 3 * rows })
        .map((values) => float32([rows, 3], values)),
    ),
  { minLength: 6, maxLength: 12 },
);

test('requests that are sent at once are answered as requests alone, whatever the graph', async () => {
  await fc.assert(
    fc.asyncProperty(names, requests, async (graph, inputs) => {
      const model = await open(graph);
      const ask = async (x: Tensor) => (await outputsOf(model, { x }, context()))['y'];
      const alone: (Tensor | undefined)[] = [];
      for (const x of inputs) alone.push(await ask(x));
      const atOnce = await Promise.all(inputs.map(ask));
      for (const [index, one] of alone.entries()) expectClose(atOnce[index], one);
      if (graph.every((name) => Object.hasOwn(rowwise, name)))
        expect(model.independence.why).toMatch(/Runs of 8|all the same/);
      await model.close();
    }),
    { numRuns: 25 },
  );
});

function expectClose(actual: Tensor | undefined, expected: Tensor | undefined): void {
  expect(actual?.shape).toEqual(expected?.shape);
  for (const [index, value] of [...(expected?.data ?? [])].entries()) {
    const other = Number(actual?.data[index]);
    expect(Math.abs(other - Number(value))).toBeLessThanOrEqual(1e-5 + 1e-4 * Math.abs(Number(value)));
  }
}
