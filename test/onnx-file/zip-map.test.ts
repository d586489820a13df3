import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { readOnnxFile } from '../../src/onnx-file/read-onnx-file.ts';
import { replaceZipMaps, zipMapsOf } from '../../src/onnx-file/zip-map.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { float, int64, type Model, onnxModel, string, type ValueType } from '../helpers/onnx-model.ts';

const matrix = { element: float, shape: ['n', 2] };
const dictionaries: ValueType = { sequence: { key: int64, value: { element: float } } };

function classifier(change: Partial<Model> = {}) {
  const model = {
    opsets: { '': 13, 'ai.onnx.ml': 1 },
    inputs: { x: matrix },
    outputs: { probabilities: dictionaries },
    nodes: [
      { op: 'Softmax', inputs: ['x'], outputs: ['p'] },
      {
        op: 'ZipMap',
        domain: 'ai.onnx.ml',
        inputs: ['p'],
        outputs: ['probabilities'],
        attributes: [{ name: 'classlabels_int64s', ints: [7, -2] }],
      },
    ],
  } satisfies Model;
  return { ...model, ...change };
}

async function read(bytes: Uint8Array) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'model.onnx');
  await writeFile(path, bytes);
  return readOnnxFile(path);
}

test('a dictionary for each row becomes the tensor that it is made of, with its classes told', async () => {
  const bytes = onnxModel(classifier());
  const zipMaps = zipMapsOf(await read(bytes));
  expect(zipMaps).toEqual([{ output: 'probabilities', input: 'p', classes: ['7', '-2'] }]);

  const file = await read(replaceZipMaps(bytes, zipMaps));
  expect(file.outputs).toEqual([{ name: 'probabilities', kind: 'tensor', type: 'tensor(float)', shape: ['', 2] }]);
  expect(file.nodes).toMatchObject([
    { opType: 'Softmax' },
    { opType: 'Identity', domain: '', inputs: ['p'], outputs: ['probabilities'] },
  ]);
  expect(zipMapsOf(file)).toEqual([]);
});

test('classes may be texts', async () => {
  const attributes = [{ name: 'classlabels_strings', strings: ['died', 'survived'] }];
  const { nodes: plain, ...model } = classifier();
  const nodes = plain?.map((node) => (node.op === 'ZipMap' ? { ...node, attributes } : node));
  const outputs: Model['outputs'] = { probabilities: { sequence: { key: string, value: { element: float } } } };
  expect(zipMapsOf(await read(onnxModel({ ...model, nodes, outputs })))).toMatchObject([
    { classes: ['died', 'survived'] },
  ]);
});

test('a model that imports the operators of trees alone imports those of ONNX, too', async () => {
  const bytes = onnxModel(classifier({ opsets: { 'ai.onnx.ml': 1 } }));
  const file = await read(replaceZipMaps(bytes, zipMapsOf(await read(bytes))));
  expect(file.opsets).toEqual(
    new Map([
      ['ai.onnx.ml', 1],
      ['', 9],
    ]),
  );
});

test('a dictionary that another node takes stays', async () => {
  const used: Model['nodes'] = [
    ...classifier().nodes,
    { op: 'Identity', inputs: ['probabilities'], outputs: ['again'] },
  ];
  expect(zipMapsOf(await read(onnxModel(classifier({ nodes: used }))))).toEqual([]);
});

test('everything else of the file stays byte for byte', () => {
  const bytes = onnxModel(classifier());
  expect(replaceZipMaps(bytes, [])).toEqual(Buffer.from(bytes));
});

test('bytes that are no model are refused, wherever they end', () => {
  const bytes = onnxModel(classifier());
  const whole = replaceZipMaps(bytes, []).length;
  let refused = 0;
  for (let length = 1; length < bytes.length; length += 1) {
    try {
      expect(replaceZipMaps(bytes.subarray(0, length), []).length).toBeLessThanOrEqual(whole);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(AppError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(bytes.length / 2);
});

test('classes may be as many as a large vocabulary has', async () => {
  const ints = Array.from({ length: 20_000 }, (_, index) => index);
  const { nodes: plain, ...model } = classifier();
  const nodes = plain.map((node) =>
    node.op === 'ZipMap' ? { ...node, attributes: [{ name: 'classlabels_int64s', ints }] } : node,
  );
  const [zipMap] = zipMapsOf(await read(onnxModel({ ...model, nodes })));
  expect(zipMap?.classes).toHaveLength(20_000);
  expect(zipMap?.classes.at(-1)).toBe('19999');
});
