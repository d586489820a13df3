import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cachedRepository } from '../helpers/cached-model.ts';
import type { TemporaryFolder } from '../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await cachedRepository({ ttlS: 300 }, 'iris');
  server = await startReadyServer({ MODELS_DIR: repository.path });
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

const flower = (sepal_length: number) => ({ sepal_length, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 });
const tensor = (...flowers: number[][]) => ({
  inputs: [{ name: 'features', datatype: 'FP32', shape: [flowers.length, 4], data: flowers.flat() }],
});

async function statusOf(path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await postJson(server.address, path, body, headers);
  return { status: answer.status, cache: answer.headers.get('cache-status'), body: answer.body };
}

describe('Cache-Status over HTTP', () => {
  it('is a miss that is stored, then a hit with the same answer, on a typed route', async () => {
    const first = await statusOf('/iris/predict', flower(5.1));
    expect(first).toMatchObject({ status: 200, cache: 'inferd; fwd=miss; stored' });
    const second = await statusOf('/iris/predict', flower(5.1));
    expect(second.cache).toMatch(/^inferd; hit; ttl=(29\d|300)$/);
    expect(second.body).toEqual(first.body);
  });

  it('is on every protocol, and rows are found whoever asked for them', async () => {
    const rows = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ];
    const first = await statusOf('/v2/models/iris/infer', tensor(...rows));
    expect(first).toMatchObject({ status: 200, cache: 'inferd; fwd=miss; stored' });
    expect((await statusOf('/models/iris/predict', { features: rows })).cache).toMatch(/^inferd; hit; ttl=/);
    expect((await statusOf('/v1/models/iris:predict', { instances: rows })).cache).toMatch(/^inferd; hit; ttl=/);
    const partly = await statusOf('/models/iris/predict', { features: [...rows, [9, 9, 9, 9]] });
    expect(partly.cache).toBe('inferd; fwd=partial; detail="2/3"');
  });

  it('follows Cache-Control of the request', async () => {
    const ask = (control?: string) =>
      statusOf('/iris/predict', flower(6.6), control === undefined ? {} : { 'cache-control': control });
    expect(await ask('no-store')).toMatchObject({ cache: 'inferd; fwd=request' });
    expect(await ask('max-age=0, No-Cache')).toMatchObject({ cache: 'inferd; fwd=request; stored' });
    expect((await ask()).cache).toMatch(/^inferd; hit/);
    expect(await ask('no-cache')).toMatchObject({ cache: 'inferd; fwd=request; stored' });
  });

  it('is absent where the model has no cache', async () => {
    await using plain = await startReadyServer({});
    const answer = await postJson(plain.address, '/iris/predict', flower(5.1));
    expect(answer.headers.get('cache-status')).toBeNull();
  });
});
