import { describe, expect, test } from 'vitest';
import { float32, int64, type Tensor, text } from '../../../src/tensor/tensor.ts';
import type { Graph } from '../../helpers/onnx-model.ts';
import { int64 as int64Type, string } from '../../helpers/onnx-model.ts';
import { context, openModel, outputsOf } from '../models.ts';
import { floats, floatValue, integers, modelFile } from './models.ts';

/** Products of every row with every other, without a name that says so. */
const pairs: Graph = {
  inputs: { x: floatValue('', 2) },
  outputs: { y: floatValue('', '') },
  nodes: [
    { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
    { op: 'MatMul', inputs: ['x', 't'], outputs: ['y'] },
  ],
};

const running: Graph = {
  inputs: { x: floatValue('seq', 1) },
  outputs: { y: floatValue('seq', 1) },
  initializers: [integers('axis', [0], [])],
  nodes: [{ op: 'CumSum', inputs: ['x', 'axis'], outputs: ['y'] }],
};

const candidates: Graph = {
  inputs: { x: floatValue('n') },
  outputs: { y: floatValue('n') },
  nodes: [{ op: 'Softmax', inputs: ['x'], outputs: ['y'] }],
};

/** Subtracts the mean of the batch by way of a matrix product, which no list of operators knows. */
const centred: Graph = {
  inputs: { x: floatValue('n', 2) },
  outputs: { y: floatValue('n', 2) },
  initializers: [integers('first', [0]), integers('shape', [1, 2, -1]), integers('row', [1, 2])],
  nodes: [
    { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
    { op: 'Reshape', inputs: ['t', 'shape'], outputs: ['r'] },
    { op: 'GlobalAveragePool', inputs: ['r'], outputs: ['p'] },
    { op: 'Reshape', inputs: ['p', 'row'], outputs: ['m'] },
    { op: 'Sub', inputs: ['x', 'm'], outputs: ['y'] },
  ],
};

const perceptron: Graph = {
  inputs: { x: floatValue('n', 4) },
  outputs: { y: floatValue('n', 3) },
  initializers: [floats('w', [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 2], [4, 3])],
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['a'] },
    { op: 'Softmax', inputs: ['a'], outputs: ['y'] },
  ],
};

/** Adds what the largest value of the batch is above 2000, which no ordinary row reaches. */
function aboveLimit(largest: NonNullable<Graph['nodes']>): Graph {
  return {
    inputs: { x: floatValue('n', 2) },
    outputs: { y: floatValue('n', 2) },
    initializers: [integers('one', [1]), integers('before', [-2]), floats('limit', [2000])],
    nodes: [
      ...largest,
      { op: 'Sub', inputs: ['largest', 'limit'], outputs: ['s'] },
      { op: 'Relu', inputs: ['s'], outputs: ['r'] },
      { op: 'Add', inputs: ['x', 'r'], outputs: ['y'] },
    ],
  };
}

const turned: NonNullable<Graph['nodes']> = [
  { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
  { op: 'ReduceMax', inputs: ['t', 'one'], outputs: ['m'] },
  { op: 'Transpose', inputs: ['m'], outputs: ['largest'], attributes: [{ name: 'perm', ints: [1, 0] }] },
];

/** Adds the largest of a column of whole numbers to every row. */
function largestOf(column: string): Graph {
  return {
    inputs: { x: floatValue('n', 1), [column]: { element: int64Type, shape: ['n', 1] } },
    outputs: { y: floatValue('n', 1) },
    initializers: [integers('one', [1])],
    nodes: [
      { op: 'Transpose', inputs: [column], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
      { op: 'ReduceMax', inputs: ['t', 'one'], outputs: ['m'] },
      { op: 'Cast', inputs: ['m'], outputs: ['f'], attributes: [{ name: 'to', int: 1 }] },
      { op: 'Add', inputs: ['x', 'f'], outputs: ['y'] },
    ],
  };
}

/** A column of millions beside one that lies between -2 and 2 and is less its mean of the batch. */
const unlikeColumns: Graph = {
  inputs: { x: floatValue('n', 2) },
  outputs: { y: floatValue('n', 2) },
  initializers: [
    floats('millions', [1e6, 0], [1, 2]),
    floats('second', [0, 1], [1, 2]),
    integers('shape', [1, 2, -1]),
    integers('row', [1, 2]),
  ],
  nodes: [
    { op: 'Tanh', inputs: ['x'], outputs: ['h'] },
    { op: 'Transpose', inputs: ['h'], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
    { op: 'Reshape', inputs: ['t', 'shape'], outputs: ['r'] },
    { op: 'GlobalAveragePool', inputs: ['r'], outputs: ['p'] },
    { op: 'Reshape', inputs: ['p', 'row'], outputs: ['m'] },
    { op: 'Mul', inputs: ['m', 'second'], outputs: ['mean'] },
    { op: 'Sub', inputs: ['h', 'mean'], outputs: ['s'] },
    { op: 'Mul', inputs: ['x', 'millions'], outputs: ['large'] },
    { op: 'Add', inputs: ['large', 's'], outputs: ['y'] },
  ],
};

/** Adds 1 to every row if a number of the batch is as the operator finds it. */
function anyThatIs(node: NonNullable<Graph['nodes']>[number]): Graph {
  return {
    inputs: { x: floatValue('n', 1) },
    outputs: { y: floatValue('n', 1) },
    initializers: [integers('one', [1]), floats('zero', [0])],
    nodes: [
      { ...node, outputs: ['e'] },
      { op: 'Cast', inputs: ['e'], outputs: ['f'], attributes: [{ name: 'to', int: 1 }] },
      { op: 'Transpose', inputs: ['f'], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
      { op: 'ReduceMax', inputs: ['t', 'one'], outputs: ['m'] },
      { op: 'Add', inputs: ['x', 'm'], outputs: ['y'] },
    ],
  };
}

/** Counts rows that are equal. */
const twins: Graph = {
  inputs: { x: floatValue('n', 1) },
  outputs: { y: floatValue('n', 1) },
  initializers: [integers('one', [1])],
  nodes: [
    { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: [{ name: 'perm', ints: [1, 0] }] },
    { op: 'Equal', inputs: ['x', 't'], outputs: ['e'] },
    { op: 'Cast', inputs: ['e'], outputs: ['f'], attributes: [{ name: 'to', int: 1 }] },
    { op: 'ReduceSum', inputs: ['f', 'one'], outputs: ['s'] },
    { op: 'Add', inputs: ['x', 's'], outputs: ['y'] },
  ],
};

/** Words of texts, padded to the longest text of the run. */
const words: Graph = {
  inputs: { x: { element: string, shape: ['n'] } },
  outputs: { y: { element: string, shape: ['n', 'longest'] }, length: { element: int64Type, shape: ['n'] } },
  nodes: [
    { op: 'StringSplit', inputs: ['x'], outputs: ['y', 'length'], attributes: [{ name: 'delimiter', string: ' ' }] },
  ],
};

async function open(graph: Graph, overrides: Parameters<typeof openModel>[1] = {}) {
  return openModel('linear', { path: await modelFile(graph), ...overrides });
}

describe('a model whose rows meet each other', () => {
  test.each<[string, Graph, RegExp]>([
    ['a running sum', running, /CumSum works across rows/],
    ['shares of candidates', candidates, /Rows that share a run change each other: output "y" is 1 alone/],
    ['products of pairs', pairs, /Rows that share a run change each other: output "y" has the shape/],
    ['a mean of the batch', centred, /Rows that share a run change each other: output "y"/],
  ])('%s: runs each request singly and whole', async (_, graph, why) => {
    const { model, batches } = await open(graph, { batching: { maxSize: 8 } });
    expect(model.independence).toMatchObject({ independentRows: false, why: expect.stringMatching(why) });
    const columns = model.signature.inputs[0]?.shape[1];
    const shape = columns === undefined ? [40] : [40, columns];
    const x = float32(
      shape,
      Array.from({ length: 40 * (columns ?? 1) }, (_, index) => (index % 7) - 3),
    );
    const whole = (await outputsOf(model, { x }, context()))['y'];
    expect(batches.map(({ rows }) => rows)).toEqual([1]);
    const others = await Promise.all(Array.from({ length: 30 }, () => outputsOf(model, { x }, context())));
    for (const { y } of others) expect(y).toEqual(whole);
  });

  test.each<[string, Graph]>([
    [
      'a largest value along an axis that is counted from the end',
      aboveLimit([{ op: 'ReduceMax', inputs: ['x', 'before'], outputs: ['largest'] }]),
    ],
    ['a largest value of what was transposed', aboveLimit(turned)],
    ['a number that is missing somewhere', anyThatIs({ op: 'IsNaN', inputs: ['x'], outputs: [] })],
    ['a zero somewhere', anyThatIs({ op: 'Equal', inputs: ['x', 'zero'], outputs: [] })],
    ['a column with the name of a mask', largestOf('mask')],
    ['a column with the name of positions', largestOf('position')],
  ])('%s shows beside odd neighbours', async (_, graph) => {
    const { model } = await open(graph);
    expect(model.independence).toMatchObject({
      independentRows: false,
      why: expect.stringMatching(/change each other/),
    });
  });

  test('large numbers in one column hide no difference in another', async () => {
    const { model } = await open(unlikeColumns);
    expect(model.independence.independentRows).toBe(false);
  });

  test('a count of equal rows shows in runs of few rows', async () => {
    const { model } = await open(twins, { batching: { maxSize: 4 } });
    expect(model.independence.independentRows).toBe(false);
  });

  test('a running sum of 40 ones is 1 to 40', async () => {
    const { model } = await open(running);
    const { y } = await outputsOf(model, { x: float32([40, 1], new Array(40).fill(1)) }, context());
    expect(y).toEqual(
      float32(
        [40, 1],
        Array.from({ length: 40 }, (_, index) => index + 1),
      ),
    );
  });

  test('texts of unlike length keep the shape that each has alone', async () => {
    const path = await modelFile(words, { '': 20 });
    const { model } = await openModel('strings', { path });
    expect(model.independence).toMatchObject({ independentRows: false, why: expect.stringMatching(/has the shape/) });
    const texts = Array.from({ length: 32 }, (_, count) => new Array(count + 1).fill('word').join(' '));
    const answers = await Promise.all(texts.map((one) => outputsOf(model, { x: text([1], [one]) }, context())));
    expect(answers.map(({ y }) => y?.shape)).toEqual(texts.map((_, count) => [1, count + 1]));
  });

  test('clients that ask at once get products of their own rows alone', async () => {
    const { model } = await open(pairs);
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, client) => {
        const { y } = await outputsOf(model, { x: float32([2, 2], [client, 1, 0, client]) }, context());
        return [y, client] as const;
      }),
    );
    for (const [y, client] of answers) {
      expect(y).toEqual(float32([2, 2], [client * client + 1, client, client, client * client]));
    }
  });
});

describe('a model of independent rows', () => {
  test('shares runs, and says why', async () => {
    const { model, batches } = await open(perceptron);
    expect(model.independence).toMatchObject({
      independentRows: true,
      why: 'Runs of 32 made-up rows gave each row what it gives alone.',
    });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => outputsOf(model, { x: float32([1, 4], [i, 1, 1, 1]) }, context())),
    );
    expect(Math.max(...batches.map(({ requests }) => requests))).toBeGreaterThan(1);
  });

  test('runs a long request in few runs', async () => {
    const { model, batches } = await open(perceptron, { batching: { maxRequestRows: 1024 } });
    await outputsOf(model, { x: float32([1000, 4], new Array(4000).fill(1)) }, context());
    expect(batches.map(({ rows }) => rows)).toEqual([1000]);
  });

  test('is found where a dimension beside the rows is free', async () => {
    const { model } = await open({
      inputs: { x: floatValue('n', 'length') },
      outputs: { y: floatValue('n', 'length') },
      nodes: [{ op: 'Softmax', inputs: ['x'], outputs: ['y'] }],
    });
    expect(model.independence.independentRows).toBe(true);
  });

  test('is found for texts', async () => {
    const { model } = await open({
      inputs: { x: { element: string, shape: ['n', 1] } },
      outputs: { y: { element: string, shape: ['n', 1] } },
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    });
    expect(model.independence.independentRows).toBe(true);
  });
});

describe('what cannot be tried', () => {
  const constant: Graph = {
    inputs: { x: floatValue('n', 2) },
    outputs: { y: floatValue('n', 2) },
    initializers: [floats('zero', [0])],
    nodes: [{ op: 'Mul', inputs: ['x', 'zero'], outputs: ['y'] }],
  };
  const table: Graph = {
    inputs: { i: { element: int64Type, shape: ['n'] } },
    outputs: { y: floatValue('n') },
    initializers: [floats('values', [10, 20, 30], [3]), integers('far', [1_000_000])],
    nodes: [
      { op: 'Sub', inputs: ['i', 'far'], outputs: ['j'] },
      { op: 'Gather', inputs: ['values', 'j'], outputs: ['y'] },
    ],
  };

  test('runs singly when outputs do not tell rows apart', async () => {
    const { model } = await open(constant);
    expect(model.independence).toMatchObject({ independentRows: false, why: expect.stringContaining('all the same') });
  });

  test('runs singly when made-up rows are refused, and says the remedy', async () => {
    const { model } = await open(table);
    expect(model.independence).toMatchObject({
      independentRows: false,
      why: expect.stringMatching(/refuses made-up rows .*"warmup"/),
    });
    expect(model.example).toBeUndefined();
  });

  test('is tried with rows like the warm-up requests', async () => {
    const warmup = [{ i: int64([2], [1_000_000, 1_000_002]) }];
    const { model } = await open(table, { warmup });
    expect(model.independence.independentRows).toBe(true);
    const { y } = await outputsOf(model, { i: int64([1], [1_000_001]) }, context());
    expect(y).toEqual(float32([1], [20]));
  });

  test('follows the word of the operator', async () => {
    const { model } = await open(constant, { batching: { enabled: true } });
    expect(model.independence).toMatchObject({ independentRows: true, why: 'model.json says so.' });
    const { model: off } = await open(perceptron, { batching: { enabled: false } });
    expect(off.independence).toMatchObject({ independentRows: false, why: 'Batching is switched off in model.json.' });
  });
});

describe('what a load finds out', () => {
  test('corrects the shape of an output that runs contradict', async () => {
    const { model } = await open({
      inputs: { x: floatValue('n', 2) },
      outputs: { label: { element: int64Type, shape: [1] } },
      nodes: [
        {
          op: 'ArgMax',
          inputs: ['x'],
          outputs: ['label'],
          attributes: [
            { name: 'axis', int: 1 },
            { name: 'keepdims', int: 0 },
          ],
        },
      ],
    });
    expect(model.signature.outputs).toEqual([{ name: 'label', datatype: 'INT64', shape: [-1] }]);
    expect(model.independence.independentRows).toBe(true);
  });

  test('finds a size that the model takes where 1 is refused', async () => {
    const { model, log } = await open({
      inputs: { x: floatValue('n', 'length') },
      outputs: { y: floatValue('n', 4, 'rest') },
      initializers: [integers('shape', [0, 4, -1])],
      nodes: [{ op: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }],
    });
    const shapes = Object.values<Tensor>(model.example ?? {}).map(({ shape }) => shape);
    expect(shapes).toEqual([[1, 8]]);
    expect(log.filter(({ level }) => level === 'warn')).toEqual([]);
    expect(model.independence.independentRows).toBe(true);
  });
});
