import { describe, expect, test } from 'vitest';
import { wholeTensorOperator } from '../../../src/inference/independence/whole-tensor-operators.ts';
import { readOnnxFile } from '../../../src/onnx-file/read-onnx-file.ts';
import { shippedModelsDir } from '../../helpers/folder.ts';
import type { Graph, Node } from '../../helpers/onnx-model.ts';
import { floats, floatValue, integers, modelFile } from './models.ts';

const inputs = { x: floatValue('n', 4) };
const outputs = { y: floatValue('m', 'k') };
const initializers = [
  integers('zero', [0]),
  integers('one', [1]),
  integers('shape', [-1, 4]),
  floats('half', [0.5]),
  integers('scalarZero', [0], []),
];

async function judge(nodes: readonly Node[], more: Partial<Graph> = {}): Promise<string | undefined> {
  const path = await modelFile({ inputs, outputs, initializers, nodes, ...more });
  return wholeTensorOperator(await readOnnxFile(path));
}

const op = (name: string, ins: readonly string[], attributes: Node['attributes'] = []): Node => ({
  op: name,
  inputs: ins,
  outputs: ['y'],
  attributes,
});

describe('an operator that may mix rows', () => {
  test.each<[string, Node, RegExp]>([
    ['a scale of the whole tensor', op('DynamicQuantizeLinear', ['x']), /takes its scale from all rows/],
    ['a list of what is not zero', op('NonZero', ['x']), /lists what it finds/],
    ['boxes of all pictures', op('NonMaxSuppression', ['x', 'x']), /lists what it finds/],
    ['values without doubles', op('Unique', ['x']), /compares all rows/],
    ['rows that fulfil a condition', op('Compress', ['x', 'x']), /leaves out/],
    ['rows by their number', op('RoiAlign', ['x', 'x', 'x']), /by their number/],
    ['a scan', op('Scan', ['x']), /row to row/],
    ['rows by numbers from values', op('Gather', ['x', 'x']), /by their number/],
    ['elements of rows by numbers', op('GatherElements', ['x', 'x']), /by their number/],
    ['rows that are written by numbers', op('ScatterElements', ['x', 'x', 'x']), /by their number/],
    ['a sum over rows', op('Einsum', ['x'], [{ name: 'equation', string: 'bd->d' }]), /across rows/],
    ['products of rows', op('Einsum', ['x', 'x'], [{ name: 'equation', string: 'bd, cd -> bc' }]), /across rows/],
    ['a loop', op('Loop', ['', 'x', 'x']), /last row is ready/],
    ['a branch', op('If', ['x']), /same branch/],
    ['chance', op('RandomNormalLike', ['zero']), /random/],
    ['a sum of all', op('ReduceSum', ['x']), /across rows/],
    ['a sum of rows, axes as input', op('ReduceSum', ['x', 'zero']), /across rows/],
    ['a mean of rows, axes as attribute', op('ReduceMean', ['x'], [{ name: 'axes', ints: [1, 0] }]), /across rows/],
    ['a greatest row', op('ArgMax', ['x']), /across rows/],
    ['a running sum of rows', op('CumSum', ['x', 'scalarZero']), /across rows/],
    ['a running sum along a computed axis', op('CumSum', ['x', 'half']), /across rows/],
    ['shares of rows', op('Softmax', ['x'], [{ name: 'axis', int: 0 }]), /across rows/],
    ['best rows', op('TopK', ['x', 'one'], [{ name: 'axis', int: 0 }]), /across rows/],
    ['rows in reverse', op('ReverseSequence', ['x', 'x']), /across rows/],
    ['a mean and variance of rows', op('MeanVarianceNormalization', ['x']), /across rows/],
    ['a size from values', op('Range', ['x', 'half', 'half']), /shape that depends on values/],
    ['a shape from values', op('Reshape', ['half', 'x']), /shape that depends on values/],
  ])('%s', async (_, node, reason) => {
    expect(await judge([node])).toMatch(reason);
  });

  test('is named with its node', async () => {
    expect(await judge([{ ...op('NonZero', ['x']), name: '/head/NonZero' }])).toBe(
      'The operator NonZero ("/head/NonZero") lists what it finds in all rows together.',
    );
  });

  test('is found in the body of another', async () => {
    const body = { nodes: [op('NonZero', ['x'])] };
    const node = op('SequenceMap', ['x'], [{ name: 'body', graph: body }]);
    expect(await judge([node])).toMatch(/NonZero/);
  });

  test('is found behind other operators', async () => {
    const first = { op: 'Relu', inputs: ['x'], outputs: ['a'] };
    expect(await judge([first, op('NonZero', ['a'])])).toMatch(/NonZero/);
  });
});

describe('an operator that leaves rows apart', () => {
  test.each<[string, readonly Node[]]>([
    ['a sum of columns', [op('ReduceSum', ['x', 'one'])]],
    ['a best class', [op('ArgMax', ['x'], [{ name: 'axis', int: 1 }])]],
    ['shares of classes', [op('Softmax', ['x'])]],
    ['a table', [op('Gather', ['half', 'x'])]],
    ['columns by numbers from values', [op('Gather', ['x', 'x'], [{ name: 'axis', int: 1 }])]],
    ['a product by row', [op('Einsum', ['x', 'half'], [{ name: 'equation', string: 'bd,dk->bk' }])]],
    ['a fixed shape', [op('Reshape', ['x', 'shape'])]],
    [
      'a shape made from the shape of an input',
      [
        { op: 'Shape', inputs: ['x'], outputs: ['s'] },
        { op: 'ReduceProd', inputs: ['s'], outputs: ['p'] },
        { op: 'NonZero', inputs: ['p'], outputs: ['nz'] },
        op('Expand', ['half', 's']),
      ],
    ],
    ['a list of constants', [op('NonZero', ['half']), { op: 'Relu', inputs: ['x'], outputs: ['z'] }]],
    ['a reduction of no axis', [op('ReduceSum', ['x'], [{ name: 'noop_with_empty_axes', int: 1 }])]],
  ])('%s', async (_, nodes) => {
    expect(await judge(nodes)).toBeUndefined();
  });

  test.each(['iris', 'titanic', 'digits', 'sentiment'])('those of the shipped %s', async (name) => {
    expect(wholeTensorOperator(await readOnnxFile(`${shippedModelsDir}/${name}/1/model.onnx`))).toBeUndefined();
  });
});
