import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantedOutputs } from '../../src/protocols/native/query.ts';
import { type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { identityModel } from '../helpers/identity-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';
import { finishedTask, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

let database: TestDatabase;
let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  database = await temporaryDatabase('embedded');
  repository = await temporaryFolder();
  for (const [name, datatype] of [
    ['numbers', 'FP32'],
    ['texts', 'BYTES'],
  ] as const) {
    await mkdir(join(repository.path, name, '1'), { recursive: true });
    const model = identityModel(datatype, 'Identity', { input: 'b64', output: 'a,b' });
    await writeFile(join(repository.path, name, '1', 'model.onnx'), model);
  }
  const environment = { ...database.environment, MODELS_DIR: repository.path, DEFAULT_MODEL: 'numbers' };
  server = await startReadyServer(environment, []);
  await whenTasksAreReady(server.address);
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const post = (path: string, body: unknown) => postJson(server.address, path, body);

describe('an output whose name has a comma', () => {
  it.each(['a%2Cb', 'a,b'])('is asked for by ?outputs=%s', async (outputs) => {
    const answer = await post(`/models/numbers/predict?outputs=${outputs}`, { b64: [[1, 2]] });
    expect(answer).toMatchObject({ status: 200, body: { 'a,b': [[1, 2]] } });
    const id = await submitTask(server.address, `/models/numbers/tasks?outputs=${outputs}`, { b64: [[1]] });
    expect(await finishedTask(server.address, id)).toMatchObject({ state: 'succeeded' });
    expect((await getJson(server.address, `/tasks/${id}/result`)).body).toEqual({ 'a,b': [[1]] });
  });

  it.each(['a', 'b,a', 'a,b,c', ''])('is not ?outputs=%s', async (outputs) => {
    const answer = await post(`/models/numbers/predict?outputs=${outputs}`, { b64: [[1, 2]] });
    expect(answer).toMatchObject({ status: 422, body: { code: 'SIGNATURE_MISMATCH' } });
  });

  it('may stand in a list with others', () => {
    const signature = {
      inputs: [],
      outputs: ['a', 'b', 'a,b', 'c'].map((name) => ({ name, datatype: 'FP32', shape: [] }) as const),
    };
    expect(wantedOutputs(undefined, signature)).toBeUndefined();
    expect(wantedOutputs(['c,a,b', 'b,a', 'a,c'], signature)).toEqual(['c', 'a,b', 'b', 'a', 'a', 'c']);
    expect(wantedOutputs(['d,a'], signature)).toEqual(['d', 'a']);
  });
});

describe('an input named b64', () => {
  it.each(['/v1/models/numbers:predict', '/invocations'])('is an input for %s', async (path) => {
    const predictions = { predictions: [[1, 2]] };
    expect(await post(path, { instances: [{ b64: [1, 2] }] })).toMatchObject({ status: 200, body: predictions });
    const { status } = await post(path, { inputs: { b64: [[1, 2]] } });
    expect(status).toBe(200);
  });

  it('is not read as base64', async () => {
    const { body } = await post('/v1/models/texts:predict', { instances: [{ b64: ['YQ=='] }] });
    expect(body).toEqual({ predictions: [['YQ==']] });
  });
});

describe('a number in a query', () => {
  it.each(['retries', 'priority', 'delay_s', 'ttl_s'])('that is empty is refused: ?%s=', async (name) => {
    const answer = await post(`/models/numbers/tasks?${name}=`, { b64: [[1]] });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ location: ['query', name] }] } });
  });

  it.each([
    '/tasks?limit=',
    '/predictions?limit=',
    '/predictions/export?limit=',
    '/models/numbers/performance?sample=',
  ])('that is empty is refused: %s', async (path) => {
    expect(await getJson(server.address, path)).toMatchObject({ status: 422 });
  });

  it('that is empty is refused: ?top=', async () => {
    expect(await post('/models/numbers/predict?top=', { b64: [[1]] })).toMatchObject({ status: 422 });
  });

  it('is documented with its default', async () => {
    const { body } = await getJson(server.address, '/openapi.json');
    const { paths } = body as { paths: Record<string, { get: { parameters: readonly { name: string }[] } }> };
    const limit = paths['/tasks']?.get.parameters.find(({ name }) => name === 'limit');
    expect(limit).toMatchObject({
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
    });
  });

  it('that is no time is refused', async () => {
    expect(await getJson(server.address, '/predictions?since=2026-02-30')).toMatchObject({ status: 422 });
  });
});
