import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { labelClassesOf } from '../../src/onnx-file/label-classes.ts';
import { readOnnxFile } from '../../src/onnx-file/read-onnx-file.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { float, int64, type Model, onnxModel } from '../helpers/onnx-model.ts';

const matrix = { element: float, shape: ['n', 2] };

async function classesOf(model: Pick<Model, 'nodes'> & Partial<Model>) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'model.onnx');
  const outputs = { label: { element: int64, shape: ['n'] }, scores: matrix };
  await writeFile(path, onnxModel({ opsets: { '': 13, 'ai.onnx.ml': 1 }, inputs: { x: matrix }, outputs, ...model }));
  return labelClassesOf(await readOnnxFile(path));
}

const linear = (attribute: string, label = 'label') => ({
  op: 'LinearClassifier',
  domain: 'ai.onnx.ml',
  inputs: ['x'],
  outputs: [label, 'scores'],
  attributes: [{ name: attribute, ints: [1, 2] }],
});

test.each(['classlabels_ints', 'classlabels_int64s'])('the label of a classifier has its %s', async (attribute) => {
  expect(await classesOf({ nodes: [linear(attribute)] })).toEqual({ label: ['1', '2'] });
});

test('also behind what leaves values as they are', async () => {
  const nodes = [
    linear('classlabels_ints', 'chosen'),
    { op: 'Cast', inputs: ['chosen'], outputs: ['cast'], attributes: [{ name: 'to', int: int64 }] },
    { op: 'Reshape', inputs: ['cast', 'shape'], outputs: ['label'] },
  ];
  expect(await classesOf({ nodes })).toEqual({ label: ['1', '2'] });
});

test('one that is chosen from a list has that', async () => {
  const nodes = [
    { op: 'ArgMax', inputs: ['x'], outputs: ['best'] },
    { op: 'ArrayFeatureExtractor', domain: 'ai.onnx.ml', inputs: ['classes', 'best'], outputs: ['picked'] },
    { op: 'Reshape', inputs: ['picked', 'shape'], outputs: ['label'] },
    { op: 'Softmax', inputs: ['x'], outputs: ['scores'] },
  ];
  const initializers = [{ name: 'classes', type: int64, dims: [2], int64s: [5n, 9n] }];
  expect(await classesOf({ nodes, initializers })).toEqual({ label: ['5', '9'] });
});

test('one that is computed has none', async () => {
  const nodes = [
    { op: 'ArgMax', inputs: ['x'], outputs: ['label'] },
    { op: 'Softmax', inputs: ['x'], outputs: ['scores'] },
  ];
  expect(await classesOf({ nodes })).toEqual({});
});
