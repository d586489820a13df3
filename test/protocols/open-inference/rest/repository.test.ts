import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../../helpers/folder.ts';
import { fixture, get, post, serveFixtures } from './client.ts';

const inputs = [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [7] }];

type Index = { name: string; version?: string; state?: string; reason?: string }[];

async function indexOf(address: string, body?: object): Promise<Index> {
  const reply = await post(address, '/v2/repository/index', body);
  expect(reply.status).toBe(200);
  return reply.json as unknown as Index;
}

describe('the model repository', () => {
  it('lists a version a line, all of them or those that are ready', async () => {
    await using server = await serveFixtures(['copy', 'broken']);
    await cp(fixture('linear'), join(server.modelsDir, 'linear.onnx'));
    expect(await indexOf(server.address)).toEqual([
      { name: 'broken', version: '1', state: 'UNAVAILABLE', reason: expect.stringMatching(/cannot be loaded/) },
      { name: 'copy', version: '1', state: 'READY' },
      { name: 'linear' },
    ]);
    expect(await indexOf(server.address, { ready: true })).toEqual([{ name: 'copy', version: '1', state: 'READY' }]);
    expect(await indexOf(server.address, { ready: false })).toHaveLength(3);
    const reply = await post(server.address, '/v2/repository/index', { ready: 'yes' });
    expect(reply).toMatchObject({ status: 400, json: { error: 'ready: expected true or false, received "yes"' } });
  });

  it('unloads, and loads again, with status 200 and nothing in the body', async () => {
    await using server = await serveFixtures(['copy']);
    for (const [action, parameters] of [
      ['unload', { unload_dependents: false }],
      ['load', {}],
    ] as const) {
      const url = `${server.address}/v2/repository/models/copy/${action}`;
      const response = await fetch(url, { method: 'POST', body: JSON.stringify({ parameters }) });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
      const isLoaded = action === 'load';
      expect(await indexOf(server.address)).toEqual([
        isLoaded
          ? { name: 'copy', version: '1', state: 'READY' }
          : { name: 'copy', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
      ]);
      expect((await get(server.address, '/v2/models/copy/ready')).status).toBe(isLoaded ? 200 : 404);
      expect((await post(server.address, '/v2/models/copy/infer', { inputs })).status).toBe(isLoaded ? 200 : 404);
    }
  });

  it('reloads a model under requests, and none is lost', async () => {
    await using server = await serveFixtures(['copy']);
    let isDone = false;
    const statuses = new Map<number, number>();
    const client = async () => {
      while (!isDone) {
        const { status } = await post(server.address, '/v2/models/copy/infer', { inputs });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const clients = [client(), client(), client()];
    for (let time = 0; time < 3; time++) {
      const reply = await fetch(`${server.address}/v2/repository/models/copy/load`, { method: 'POST' });
      expect(reply.status).toBe(200);
    }
    isDone = true;
    await Promise.all(clients);
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(10);
  });

  it('says why a load failed, and goes on with the version there is', async () => {
    await using server = await serveFixtures(['copy']);
    await cp(fixture('broken'), join(server.modelsDir, 'copy.onnx'));
    const reply = await post(server.address, '/v2/repository/models/copy/load');
    expect(reply.status).toBe(400);
    expect(reply.json.error).toMatch(/The model cannot be loaded/);
    expect((await post(server.address, '/v2/models/copy/infer', { inputs })).status).toBe(200);

    await rm(join(server.modelsDir, 'copy.onnx'));
    const gone = await post(server.address, '/v2/repository/models/copy/load');
    expect(gone).toMatchObject({
      status: 404,
      json: { error: expect.stringMatching(/repository has no model "copy"/) },
    });
  });

  it.each([
    ['load', { parameters: { unknown: 1 } }, /parameters\.unknown/],
    ['load', { parameters: { config: '{}' } }, /ALLOW_MODEL_UPLOAD/],
    ['load', { parameters: { 'file:1/model.onnx': '' } }, /ALLOW_MODEL_UPLOAD/],
    ['load', [], /the request: expected an object/],
    ['load', '{', /not valid JSON/],
    ['unload', { parameters: { unload_dependents: 'no' } }, /parameters\.unload_dependents: expected true or false/],
  ])('refuses to %s with %j', async (action, body, reason) => {
    await using server = await serveFixtures(['copy']);
    const reply = await post(server.address, `/v2/repository/models/copy/${action}`, body);
    expect(reply.status).toBe(String(reason).includes('UPLOAD') ? 403 : 400);
    expect(reply.json.error).toMatch(reason);
    expect(await indexOf(server.address)).toMatchObject([{ state: 'READY' }]);
  });
});

describe('uploads, where they are allowed', () => {
  const settings = { ALLOW_MODEL_UPLOAD: '1' };
  const base64 = (name: string) => readFile(fixture(name), 'base64');
  const load = (address: string, name: string, parameters: object) =>
    post(address, `/v2/repository/models/${name}/load`, { parameters });

  it('replace the manifest of a model until it is loaded anew', async () => {
    await using server = await serveFixtures(['linear'], { settings });
    const maxBatchSize = async () =>
      ((await get(server.address, '/v2/models/linear/config')).json as { max_batch_size: number }).max_batch_size;
    expect(await load(server.address, 'linear', { config: '{"batching":{"maxSize":5}}' })).toMatchObject({
      status: 200,
    });
    expect(await maxBatchSize()).toBe(5);
    await load(server.address, 'linear', {});
    expect(await maxBatchSize()).toBe(32);
  });

  it('bring a model that the repository does not have, and leave nothing behind', async () => {
    const before = await uploadFolders();
    {
      await using server = await serveFixtures([], { settings });
      const config = '{"versionPolicy":"all"}';
      const model = await base64('copy');
      const parameters = { config, 'file:1/model.onnx': model, 'file:3/model.onnx': model };
      expect((await load(server.address, 'copy', parameters)).status).toBe(200);
      const reply = await post(server.address, '/v2/models/copy/versions/3/infer', { inputs });
      expect(reply.json.outputs).toMatchObject([{ data: [7] }]);
      expect(await uploadFolders()).toHaveLength(before.length + 1);

      expect((await load(server.address, 'copy', parameters)).status).toBe(200);
      expect(await uploadFolders()).toHaveLength(before.length + 1);
      await post(server.address, '/v2/repository/models/copy/unload');
      expect(await uploadFolders()).toEqual(before);
      expect((await load(server.address, 'copy', parameters)).status).toBe(200);
    }
    expect(await uploadFolders()).toEqual(before);
  });

  it('are refused when they are no model, or would leave their folder', async () => {
    await using server = await serveFixtures(['copy'], { settings });
    const before = await uploadFolders();
    const file = await base64('copy');
    const broken = await base64('broken');
    const config = '{}';
    for (const [name, parameters, reason] of [
      [
        'graph',
        { config, 'file:1/graph.json': Buffer.from('{"steps":[{"name":"a","modl":"copy"}]}').toString('base64') },
        /steps\.0\.modl: there is no such key; did you mean "model"\?/,
      ],
      ['far', { config, 'file:1/remote.json': Buffer.from('{}').toString('base64') }, /remote\.json is taken from the/],
      ['copy', { config: '{"max_batch_size":8}' }, /config is invalid: .*max_batch_size/],
      ['copy', { 'file:1/model.onnx': file }, /parameters\.config: expected a text, received missing/],
      ['copy', { config, 'file:1/model.onnx': '!' }, /expected base64/],
      ['copy', { config, 'file:1/model.onnx': broken }, /The model cannot be loaded/],
      ['copy', { config, 'file:../model.onnx': file }, /path "\.\.\/model\.onnx" cannot be used/],
      ['copy', { config, 'file:1/../../model.onnx': file }, /cannot be used/],
      ['copy', { config, 'file:1/weights': file }, /no version/],
      ['..%2Fcopy', { config, 'file:1/model.onnx': file }, /name "\.\.\/copy" cannot be used/],
    ] as const) {
      const reply = await load(server.address, name, parameters);
      expect(reply.status, JSON.stringify(Object.keys(parameters))).toBe(400);
      expect(reply.json.error).toMatch(reason);
    }
    expect(await uploadFolders()).toEqual(before);
    expect((await post(server.address, '/v2/models/copy/infer', { inputs })).status).toBe(200);
  });
});

// Other tests upload at the same time: this file has a folder for temporary files of its own.
let temporary: TemporaryFolder;

beforeAll(async () => {
  temporary = await temporaryFolder();
  vi.stubEnv('TMPDIR', temporary.path);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await temporary[Symbol.asyncDispose]();
});

const uploadFolders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('inferd-upload-'));
