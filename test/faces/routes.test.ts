import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { float } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';
import { shapeClassifier, writeModel } from './classifier-model.ts';

const tall = {
  label: 'tall',
  probability: expect.closeTo(0.8808, 4),
  probabilities: { wide: expect.closeTo(0.1192, 4), tall: expect.closeTo(0.8808, 4) },
};

const rows = { element: float, shape: ['n', 2] };
const plainModel = { inputs: { x: rows }, outputs: { y: rows }, nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }] };

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeModel(folder.path, 'shapes', shapeClassifier);
  await writeModel(folder.path, 'named', shapeClassifier, {
    manifest: { description: 'Is it wide?', face: { kind: 'table', columns: [{ name: 'breadth', from: 'width' }] } },
  });
  await writeModel(folder.path, 'broken', shapeClassifier, {
    manifest: { face: { kind: 'table', columns: [{ name: 'depth' }] } },
  });
  await writeModel(folder.path, 'tasks', shapeClassifier);
  await writeModel(folder.path, 'plain', plainModel);
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const post = (path: string, body: unknown, headers?: Record<string, string>) =>
  postJson(server.address, path, body, headers);
const get = async (path: string) => (await fetch(new URL(path, server.address))).json();

describe('the routes of a face', () => {
  test('answer one record, with the headers of every prediction', async () => {
    const { status, body, headers } = await post('/shapes/predict', { width: 1, height: 3 });
    expect([status, body]).toEqual([200, tall]);
    expect(headers.get('x-model-name')).toBe('shapes');
    expect(headers.get('server-timing')).toMatch(/infer/);
  });

  test('answer many in their order', async () => {
    const { body } = await post('/shapes/predict/batch', {
      instances: [
        { width: 1, height: 3 },
        { width: 3, height: 1 },
      ],
    });
    expect(body).toMatchObject({ predictions: [{ label: 'tall' }, { label: 'wide' }] });
  });

  test('take forms', async () => {
    const response = await fetch(new URL('/shapes/predict', server.address), {
      method: 'POST',
      body: new URLSearchParams({ width: '1', height: '3' }),
    });
    expect(await response.json()).toEqual(tall);
  });

  test('name every fault where the request has it, and the field that a strange one is near to', async () => {
    const { status, body } = await post('/named/predict/batch', {
      instances: [
        { breadth: 1, height: 2 },
        { bredth: 1, height: 'x' },
      ],
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: 'VALIDATION_FAILED',
      errors: [
        { location: ['body', 'instances', 1, 'breadth'], type: 'missing' },
        { location: ['body', 'instances', 1, 'height'], type: 'invalid_type' },
        { location: ['body', 'instances', 1, 'bredth'], message: 'Unknown field; the nearest is "breadth"' },
      ],
    });
  });

  test('do not say that the field nearest to one is itself, where it stands beside the instances', async () => {
    const { body } = await post('/shapes/predict/batch', { instances: [{ width: 1, height: 3 }], width: 1 });
    expect(body).toMatchObject({ errors: [{ location: ['body', 'width'], message: 'Unknown field' }] });
  });

  test('refuse no instances, and bodies of other types with those that are taken', async () => {
    expect((await post('/shapes/predict/batch', { instances: [] })).status).toBe(422);
    const other = await post('/shapes/predict', '<a/>', { 'content-type': 'text/xml' });
    expect(other).toMatchObject({
      status: 415,
      body: { detail: expect.stringContaining('application/json, application/x-www-form-urlencoded') },
    });
  });

  test('answer the version that is asked for', async () => {
    expect((await post('/shapes/predict?version=1', { width: 1, height: 3 })).status).toBe(200);
    expect(await post('/shapes/predict?version=2', { width: 1, height: 3 })).toMatchObject({
      status: 404,
      body: { code: 'VERSION_NOT_FOUND' },
    });
  });

  test('are not there for a model without a face, for none, and under names that the server needs', async () => {
    for (const [path, detail] of [
      ['/plain/predict', /the model plain has no typed face; POST \/models\/plain\/predict takes its tensors/],
      ['/nothing/predict', /There is no model/],
      ['/tasks/predict', /the name is taken/],
    ] as const) {
      expect(await post(path, {})).toMatchObject({ status: 404, body: { detail: expect.stringMatching(detail) } });
    }
  });

  test('say which methods they take, and only where they are', async () => {
    const methodOf = async (path: string) => {
      const response = await fetch(new URL(path, server.address));
      return [response.status, response.headers.get('allow')];
    };
    expect(await methodOf('/shapes/predict')).toEqual([405, 'POST']);
    expect(await methodOf('/plain/predict')).toEqual([404, null]);
    expect(await methodOf('/nothing/predict/batch')).toEqual([404, null]);
  });
});

test('a face that model.json asks for and that is at fault keeps its model from serving', async () => {
  expect(await get('/models/broken')).toMatchObject({
    state: 'UNAVAILABLE',
    reason: 'The face is invalid: face.columns.0: the model has no input "depth", but width, height',
  });
});

test('the list of models says what was found', async () => {
  const { models } = (await get('/models')) as { models: { name: string; versions: { face?: unknown }[] }[] };
  expect(Object.fromEntries(models.map(({ name, versions }) => [name, versions[0]?.face]))).toEqual({
    shapes: { state: 'ready', kind: 'table' },
    named: { state: 'ready', kind: 'table' },
    broken: undefined,
    tasks: { state: 'ready', kind: 'table' },
    plain: { state: 'none', why: expect.any(String) },
  });
});

test('the documentation has a path for each face, with its schema and an example that succeeds', async () => {
  const { paths } = (await get('/openapi.json')) as {
    paths: Record<
      string,
      { post: { summary: string; requestBody: { content: Record<string, { example: unknown }> } } }
    >;
  };
  const names = Object.keys(paths).filter((path) => /^\/(?!models)[^/]+\/(predict|tasks)/.test(path));
  expect(names.sort()).toEqual(['/named/predict', '/named/predict/batch', '/shapes/predict', '/shapes/predict/batch']);
  const operation = paths['/named/predict']?.post;
  expect(operation?.summary).toBe('Is it wide?');
  expect(operation).toMatchObject({
    requestBody: { content: { 'application/json': { schema: { required: ['breadth', 'height'] } } } },
    responses: {
      200: { content: { 'application/json': { schema: { required: expect.arrayContaining(['label']) } } } },
    },
  });
  for (const path of names) {
    const { example } = paths[path]?.post.requestBody.content['application/json'] ?? {};
    expect((await post(path, example)).status).toBe(200);
  }
});

test('the page of a browser has a command for each face', async () => {
  const page = await (await fetch(server.address, { headers: { accept: 'text/html' } })).text();
  expect(page).toContain('/shapes/predict');
});

test('a face goes with its model', async () => {
  await using own = await temporaryFolder();
  await writeModel(own.path, 'shapes', shapeClassifier);
  await using other = await startReadyServer({ MODELS_DIR: own.path, DEFAULT_MODEL: 'shapes' });
  expect((await postJson(other.address, '/predict', { width: 1, height: 3 })).body).toEqual(tall);
  await rm(join(own.path, 'shapes'), { recursive: true });
  await fetch(new URL('/v2/repository/models/shapes/unload', other.address), { method: 'POST' });
  expect((await postJson(other.address, '/shapes/predict', { width: 1, height: 3 })).status).toBe(404);
  const { paths } = (await (await fetch(new URL('/openapi.json', other.address))).json()) as { paths: object };
  expect(Object.keys(paths)).not.toContain('/shapes/predict');
});

test('FACES=0 finds none', async () => {
  await using other = await startReadyServer({ MODELS_DIR: folder.path, FACES: '0' });
  expect((await postJson(other.address, '/shapes/predict', { width: 1, height: 3 })).status).toBe(404);
  expect((await fetch(new URL('/models/broken', other.address))).status).toBe(200);
});
