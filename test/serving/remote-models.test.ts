import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { shippedModelsDir, temporaryFolder } from '../helpers/folder.ts';
import { S3Server } from '../helpers/s3-server.ts';
import { postJson, startTestServer } from '../helpers/server.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };

async function bucketWithIris(): Promise<S3Server> {
  const model = await readFile(join(shippedModelsDir, 'iris/1/model.onnx'));
  const manifest = await readFile(join(shippedModelsDir, 'iris/model.json'));
  return S3Server.start({ 'prod/iris/1/model.onnx': model, 'prod/iris/model.json': manifest });
}

describe('a server with MODELS_URI', () => {
  it('is alive and says what it fetches, then serves it', async () => {
    await using bucket = await bucketWithIris();
    await using cache = await temporaryFolder();
    const gate = Promise.withResolvers<void>();
    bucket.onGet = () => gate.promise;
    await using server = await startTestServer({
      ...bucket.environment,
      MODELS_URI: 's3://bucket/prod',
      MODELS_CACHE_DIR: cache.path,
    });

    expect((await fetch(`${server.address}/health/live`)).status).toBe(200);
    await vi.waitUntil(() => bucket.gets().length > 0);
    const ready = await fetch(`${server.address}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      ready: false,
      problems: [{ reason: expect.stringContaining('the server is starting: fetching s3://bucket/prod') }],
    });

    gate.resolve();
    await server.loaded;
    expect((await fetch(`${server.address}/health/ready`)).status).toBe(200);
    expect((await postJson(server.address, '/iris/predict', flower)).body).toMatchObject({ species: 'virginica' });
  });

  it('stops at once while it fetches', async () => {
    await using bucket = await bucketWithIris();
    await using cache = await temporaryFolder();
    bucket.onGet = () => new Promise(() => undefined);
    const server = await startTestServer({
      ...bucket.environment,
      MODELS_URI: 's3://bucket/prod',
      MODELS_CACHE_DIR: cache.path,
    });
    await vi.waitUntil(() => bucket.gets().length > 0);
    await server.stop();
    await expect(fetch(server.address)).rejects.toThrow();
  });

  it('fails to start when the models cannot be had', async () => {
    await using bucket = await bucketWithIris();
    await using cache = await temporaryFolder();
    await using server = await startTestServer({
      ...bucket.environment,
      AWS_SECRET_ACCESS_KEY: 'wrong',
      MODELS_URI: 's3://bucket/prod',
      MODELS_CACHE_DIR: cache.path,
    });
    await expect(server.loaded).rejects.toMatchObject({ code: 'MODELS_FETCH_FAILED' });
  });

  it('does not start with an address that cannot be used', async () => {
    await expect(startTestServer({ MODELS_URI: 'ftp://host/models.zip' })).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
    });
  });
});
