import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtureModelsDir, fixtureRepository, temporaryFolder } from '../../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

const key = '0f3b7e6d2c';

async function call(server: TestServer, method: string, path: string, body?: unknown) {
  const response = await fetch(server.address + path, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

describe('a multi-model endpoint', () => {
  it('is ready without a model, loads, predicts, lists and unloads', async () => {
    await using empty = await temporaryFolder();
    await using artifacts = await temporaryFolder();
    const url = join(artifacts.path, key, 'model');
    await cp(join(fixtureModelsDir, 'doubles.onnx'), join(url, 'model.onnx'));
    await using server = await startReadyServer({ MODELS_DIR: empty.path, SAGEMAKER_MULTI_MODEL: 'true' }, []);
    expect((await fetch(`${server.address}/ping`)).status).toBe(200);
    expect(await call(server, 'GET', '/models')).toEqual({ status: 200, body: { models: [] } });

    const described = { modelName: key, modelUrl: url };
    expect(await call(server, 'POST', '/models', { model_name: key, url })).toEqual({ status: 200, body: described });
    expect(await call(server, 'POST', '/models', { model_name: key, url })).toMatchObject({ status: 409 });
    expect(await call(server, 'GET', '/models')).toEqual({ status: 200, body: { models: [described] } });
    expect(await call(server, 'GET', `/models/${key}`)).toEqual({ status: 200, body: described });
    expect(await call(server, 'POST', `/models/${key}/invoke`, { instances: [[1, 2]] })).toEqual({
      status: 200,
      body: { predictions: [[1, 2]] },
    });

    expect(await call(server, 'DELETE', `/models/${key}`)).toMatchObject({ status: 200 });
    expect(await call(server, 'DELETE', `/models/${key}`)).toMatchObject({ status: 404 });
    expect(await call(server, 'GET', `/models/${key}`)).toMatchObject({ status: 404 });
    expect(await call(server, 'POST', `/models/${key}/invoke`, { instances: [[1]] })).toMatchObject({ status: 404 });
    expect(server.registry.list()).toEqual([]);
  });

  it('tells why a model cannot be loaded, and forgets it', async () => {
    await using artifacts = await fixtureRepository(['broken']);
    await using empty = await temporaryFolder();
    await using server = await startReadyServer({ MODELS_DIR: empty.path, SAGEMAKER_MULTI_MODEL: 'true' }, []);
    const broken = { model_name: 'm', url: join(artifacts.path, 'broken') };
    expect(await call(server, 'POST', '/models', broken)).toMatchObject({ status: 400, body: { message: /\S/ } });
    const nowhere = { model_name: 'm', url: '/nonexistent/model' };
    expect(await call(server, 'POST', '/models', nowhere)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('/nonexistent/model') },
    });
    for (const body of [{}, { model_name: 'm' }, [], { model_name: 7, url: 'x' }]) {
      expect(await call(server, 'POST', '/models', body)).toMatchObject({ status: 400 });
    }
    expect(await call(server, 'GET', '/models')).toEqual({ status: 200, body: { models: [] } });
    expect((await fetch(`${server.address}/ping`)).status).toBe(200);
  });

  it('is there only when it is asked for', async () => {
    await using repository = await fixtureRepository(['doubles']);
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    expect(await call(server, 'GET', '/models')).toMatchObject({ body: { models: [{ name: 'doubles' }] } });
    expect(await call(server, 'POST', '/models', { model_name: 'm', url: '/' })).toMatchObject({ status: 405 });
    expect(await call(server, 'DELETE', '/models/doubles')).toMatchObject({ status: 405 });
    expect(await call(server, 'POST', '/models/doubles/invoke', {})).toMatchObject({ status: 404 });
  });
});
