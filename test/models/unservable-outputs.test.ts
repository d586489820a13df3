import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { float, int64, type Model, onnxModel, type ValueType } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';

/** More than the reader of ONNX files keeps of a list. */
const classes = 100_001;
const rows = { element: float, shape: ['n', classes] };
const dictionaries: ValueType = { sequence: { key: int64, value: { element: float } } };

/** A classifier with so many classes that its probabilities cannot be served in the place of their dictionaries. */
function zipMapModel(producer: string, outputs: Record<string, ValueType>): Model {
  return {
    producer,
    opsets: { '': 13, 'ai.onnx.ml': 1 },
    inputs: { x: rows },
    outputs,
    nodes: [
      { op: 'Softmax', inputs: ['x'], outputs: ['p'] },
      {
        op: 'ZipMap',
        domain: 'ai.onnx.ml',
        inputs: ['p'],
        outputs: ['output_probability'],
        attributes: [{ name: 'classlabels_int64s', ints: Array.from({ length: classes }, (_, index) => index) }],
      },
      { op: 'ArgMax', inputs: ['p'], outputs: ['label'], attributes: [{ name: 'axis', int: 1 }] },
    ],
  };
}

const label = { element: int64, shape: ['n', 1] };
const both = { label, output_probability: dictionaries };

async function serve(models: Readonly<Record<string, Model>>) {
  const folder = await temporaryFolder();
  for (const [name, model] of Object.entries(models)) {
    const path = join(folder.path, name, '1/model.onnx');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, onnxModel(model));
  }
  const server = await startReadyServer({ MODELS_DIR: folder.path }, []);
  const dispose = async () => {
    await server.stop();
    await folder[Symbol.asyncDispose]();
  };
  const get = async (path: string) => (await fetch(new URL(path, server.address))).json();
  return { ...server, get, [Symbol.asyncDispose]: dispose };
}

test('outputs that cannot be served are listed with the remedy, and named when they are asked for', async () => {
  await using server = await serve({
    sklearn: zipMapModel('skl2onnx', both),
    lightgbm: zipMapModel('OnnxMLTools', both),
    catboost: zipMapModel('CatBoost', both),
    other: zipMapModel('someone', both),
    sequence: {
      inputs: { x: rows },
      outputs: { y: rows, list: { sequence: rows } },
      nodes: [
        { op: 'Identity', inputs: ['x'], outputs: ['y'] },
        { op: 'SequenceConstruct', inputs: ['x'], outputs: ['list'] },
      ],
    },
    plain: { inputs: { x: rows }, outputs: { y: rows }, nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }] },
  });
  const { models } = (await server.get('/models')) as {
    models: { name: string; versions: { state: string; unservable?: unknown[]; outputs: { name: string }[] }[] }[];
  };
  const versions = Object.fromEntries(models.map(({ name, versions: [first] }) => [name, first]));
  expect(versions['sklearn']).toMatchObject({
    state: 'READY',
    outputs: [{ name: 'label' }],
    unservable: [
      {
        output: 'output_probability',
        type: 'seq(map(int64,tensor(float)))',
        why: expect.stringContaining('ZipMap'),
        remedy: expect.stringContaining("options={id(model): {'zipmap': False}}"),
      },
    ],
  });
  expect(versions['lightgbm']?.unservable).toMatchObject([{ remedy: expect.stringContaining('zipmap=False') }]);
  expect(versions['catboost']?.unservable).toMatchObject([{ remedy: expect.stringContaining('take it out') }]);
  expect(versions['other']?.unservable).toMatchObject([{ remedy: expect.stringMatching(/skl2onnx.*onnxmltools/) }]);
  expect(versions['sequence']?.unservable).toMatchObject([{ output: 'list', type: 'seq(tensor(float))' }]);
  expect(versions['plain']).not.toHaveProperty('unservable');

  const expected = /"output_probability" is seq\(map\(int64,tensor\(float\)\)\): .*'zipmap': False/;
  const typed = await postJson(server.address, '/models/sklearn/predict?outputs=output_probability', {
    x: [Array(classes).fill(0)],
  });
  expect(typed).toMatchObject({
    status: 422,
    body: {
      errors: [{ location: ['query', 'outputs'], type: 'unservable_output' }],
      detail: expect.stringMatching(expected),
    },
  });
  const open = await postJson(server.address, '/v2/models/sklearn/infer', {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, classes], data: Array(classes).fill(0) }],
    outputs: [{ name: 'output_probability' }],
  });
  expect(open).toMatchObject({ status: 400, body: { error: expect.stringMatching(expected) } });
});

test('a model none of whose outputs can be served says so, with the remedy', async () => {
  await using server = await serve({ m: zipMapModel('skl2onnx', { output_probability: dictionaries }) });
  expect(await server.get('/models/m')).toMatchObject({
    state: 'UNAVAILABLE',
    reason: expect.stringMatching(/None of the outputs .*seq\(map\(int64,tensor\(float\)\)\).*'zipmap': False/),
  });
});
