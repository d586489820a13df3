import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFaceModels } from '../../faces/write-face-models.ts';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

let folder: TemporaryFolder;
let server: TestServer;
let picture: Buffer;

beforeAll(async () => {
  folder = await temporaryFolder();
  picture = await readFile(new URL('../../../docs/examples/sea.png', import.meta.url));
  await writeFaceModels(folder.path);
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const post = async (model: string, body: unknown) => {
  const { status, body: answer } = await postJson(server.address, `/${model}/hf`, body);
  return [status, answer];
};

const positive = { label: 'positive', score: expect.closeTo(0.9526, 4) };
const negative = { label: 'negative', score: expect.closeTo(0.0474, 4) };

test('a text gets the class of the pipeline, or all of them', async () => {
  expect(await post('mood', { inputs: 'a good film' })).toEqual([200, [positive]]);
  expect(await post('mood', { inputs: ['a good film', 'a good film'] })).toEqual([200, [positive, positive]]);
  expect(await post('mood', { inputs: { text: 'a good film' }, parameters: { top_k: null } })).toEqual([
    200,
    [positive, negative],
  ]);
  expect(await post('mood', { inputs: ['a good film'], parameters: { top_k: 2 } })).toEqual([
    200,
    [[positive, negative]],
  ]);
});

test('a text gets its vector', async () => {
  expect(await post('embedder', { inputs: 'cats meow' })).toEqual([200, [3.75, 16.25]]);
  expect(await post('embedder', { inputs: ['cats meow'] })).toEqual([200, [[3.75, 16.25]]]);
});

test('a picture gets its classes, as the body or in base64', async () => {
  const asBase64 = await post('colours', { inputs: picture.toString('base64'), parameters: { top_k: 1 } });
  expect(asBase64).toEqual([200, [{ label: 'blue', score: expect.closeTo(0.9986, 4) }]]);
  const response = await fetch(new URL('/colours/hf', server.address), {
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: new Uint8Array(picture),
  });
  expect(await response.json()).toMatchObject([{ label: 'blue' }, { label: 'green' }, { label: 'red' }]);
});

test('a picture gets its objects with the names that pipelines have for edges', async () => {
  const asked = { inputs: picture.toString('base64'), parameters: { threshold: 0.5 } };
  expect(await post('boxes', asked)).toEqual([
    200,
    [{ score: 0.75, label: 'dog', box: { xmin: 33, ymin: 19.5, xmax: 39, ymax: 25.5 } }],
  ]);
});

test('what is not understood is named, and never left out', async () => {
  expect(await post('mood', { inputs: 'x', parameters: { return_all_scores: true } })).toMatchObject([
    400,
    { error: expect.stringContaining('return_all_scores') },
  ]);
  expect(await post('mood', { inputs: 5 })).toMatchObject([400, { error: expect.stringContaining('inputs') }]);
  expect(await post('shapes', { inputs: 'x' })).toMatchObject([404, { error: expect.stringContaining('table') }]);
  expect((await post('nothing', {}))[0]).toBe(404);
});
