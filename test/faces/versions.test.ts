import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { float, type Model } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { shapeClassifier, writeModel } from './classifier-model.ts';

const rows = { element: float, shape: ['n', 2] };
const faceless: Model = {
  inputs: { x: rows },
  outputs: { y: rows },
  nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
};

test('a version that clients of the face cannot use answers only where it is asked for', async () => {
  await using folder = await temporaryFolder();
  await writeModel(folder.path, 'shapes', shapeClassifier);
  await using server = await startReadyServer({ MODELS_DIR: folder.path });
  const record = { width: 1, height: 3 };
  const post = (path: string, body: unknown) => postJson(server.address, path, body);
  const load = async () => {
    const response = await fetch(new URL('/v2/repository/models/shapes/load', server.address), { method: 'POST' });
    expect(response.status).toBe(200);
  };
  const answering = async () => (await post('/shapes/predict', record)).headers.get('x-model-version');
  const versions = async () => {
    const response = await fetch(new URL('/models/shapes', server.address));
    const { versions } = (await response.json()) as { versions: { version: string; state: string }[] };
    return versions.map(({ version, state }) => [version, state]);
  };

  await writeModel(folder.path, 'shapes', faceless, { version: '2' });
  await load();
  expect(await versions()).toEqual([
    ['2', 'READY'],
    ['1', 'READY'],
  ]);
  expect(await answering()).toBe('1');
  expect((await post('/shapes/predict?version=2', record)).status).toBe(404);
  expect(await post('/models/shapes/versions/2/predict', { x: [[1, 2]] })).toMatchObject({ status: 200 });

  await load();
  expect(await answering()).toBe('1');

  await writeModel(folder.path, 'shapes', shapeClassifier, { version: '3' });
  await load();
  expect(await answering()).toBe('3');
  expect(await versions()).toEqual([['3', 'READY']]);

  await writeModel(folder.path, 'shapes', faceless, { version: '4' });
  await load();
  expect(await answering()).toBe('3');
  await rm(join(folder.path, 'shapes', '3'), { recursive: true });
  await load();
  expect(await versions()).toEqual([['4', 'READY']]);
});
