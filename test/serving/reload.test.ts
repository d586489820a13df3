import { cp, mkdir, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const predict = (server: TestServer) => postJson(server.address, '/iris/predict', flower);

async function getJson(server: TestServer, path: string) {
  const response = await fetch(new URL(path, server.address));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Follows the folder as it is now, without waiting for the watcher's next look. */
async function sync(server: TestServer, modelsDir: string): Promise<void> {
  await server.registry.sync(await scanRepository(modelsDir));
}

/** Sends requests over several connections until `work` is done, and gives the statuses with their counts. */
async function statusesDuring(server: TestServer, work: () => Promise<void>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  let working = true;
  const client = async () => {
    while (working) {
      const { status } = await predict(server);
      counts[status] = (counts[status] ?? 0) + 1;
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await work();
  working = false;
  await Promise.all(clients);
  return counts;
}

describe('a model repository with a broken model', () => {
  it('serves the others, says what is wrong, and is not ready', async () => {
    await using repository = await temporaryRepository('iris');
    await mkdir(join(repository.path, 'cut', '1'), { recursive: true });
    await cp(join(repository.path, 'iris/1/model.onnx'), join(repository.path, 'cut/1/model.onnx'));
    await truncate(join(repository.path, 'cut/1/model.onnx'), 200);
    await using server = await startReadyServer({ MODELS_DIR: repository.path });

    expect(await predict(server)).toMatchObject({ status: 200 });
    expect(await getJson(server, '/models/cut')).toMatchObject({
      body: { state: 'UNAVAILABLE', reason: expect.stringMatching(/protobuf|parse/i) },
    });
    expect(await getJson(server, '/health/ready')).toMatchObject({
      status: 503,
      body: { ready: false, problems: [{ model: 'cut', version: '1', reason: expect.any(String) }] },
    });
    expect(await getJson(server, '/health/live')).toMatchObject({ status: 200 });
  });

  it('names a manifest that is wrong', async () => {
    await using repository = await temporaryRepository('iris');
    await writeFile(join(repository.path, 'iris/model.json'), '{"instances": "many"}');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await getJson(server, '/models/iris')).toMatchObject({
      body: { state: 'UNAVAILABLE', reason: expect.stringMatching(/iris\/model\.json.*instances/) },
    });
    expect(await predict(server)).toMatchObject({ status: 503, body: { code: 'MODEL_NOT_READY' } });
  });
});

describe('a reload', () => {
  it('to a new version loses no request', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    const counts = await statusesDuring(server, async () => {
      await cp(join(repository.path, 'iris/1'), join(repository.path, 'iris/2'), { recursive: true });
      await sync(server, repository.path);
    });
    expect(Object.keys(counts)).toEqual(['200']);
    expect((await predict(server)).headers.get('x-model-version')).toBe('2');
    expect(server.registry.get('iris').versions.map(({ version }) => version)).toEqual(['2']);
  });

  it('of a changed file loses no request', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    const before = server.registry.getVersion('iris', '1');
    const counts = await statusesDuring(server, async () => {
      await utimes(join(repository.path, 'iris/1/model.onnx'), 1, 1);
      await sync(server, repository.path);
    });
    expect(Object.keys(counts)).toEqual(['200']);
    expect(server.registry.getVersion('iris', '1')).not.toBe(before);
  });

  it('to a version that cannot be loaded leaves the old one serving, and the server ready', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    await mkdir(join(repository.path, 'iris/2'));
    await writeFile(join(repository.path, 'iris/2/model.onnx'), 'half a mod');
    await sync(server, repository.path);
    expect((await predict(server)).headers.get('x-model-version')).toBe('1');
    expect(await getJson(server, '/models/iris/versions/2')).toMatchObject({ body: { state: 'UNAVAILABLE' } });
    expect(await getJson(server, '/health/ready')).toMatchObject({ status: 200 });
  });

  it('of a file with another signature under the same number is refused', async () => {
    await using repository = await temporaryRepository('iris', 'titanic');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    await cp(join(repository.path, 'titanic/1/model.onnx'), join(repository.path, 'iris/1/model.onnx'));
    await sync(server, repository.path);
    expect(await predict(server)).toMatchObject({ status: 200, body: { species: 'setosa' } });
    expect(await getJson(server, '/models/iris/versions/1')).toMatchObject({
      body: { state: 'READY', failed_replacement: expect.stringMatching(/another signature/) },
    });
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ err: expect.objectContaining({ message: expect.stringMatching(/signature/) }) }),
    );
  });

  it('unloads a model that is gone, after its requests', async () => {
    await using repository = await temporaryRepository('iris', 'titanic');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    const counts = await statusesDuring(server, async () => {
      await rm(join(repository.path, 'iris'), { recursive: true });
      await sync(server, repository.path);
    });
    expect(Object.keys(counts).filter((status) => !['200', '404', '503'].includes(status))).toEqual([]);
    expect(await predict(server)).toMatchObject({ status: 404, body: { code: 'ROUTE_NOT_FOUND' } });
  });

  it('follows the version policy', async () => {
    await using repository = await temporaryRepository('iris');
    for (const version of ['2', '3']) {
      await cp(join(repository.path, 'iris/1'), join(repository.path, 'iris', version), { recursive: true });
    }
    await writeFile(join(repository.path, 'iris/model.json'), '{"versionPolicy": {"specific": [1, 3]}}');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(server.registry.get('iris').versions.map(({ version }) => version)).toEqual(['3', '1']);
    expect(await getJson(server, '/models/iris/versions/2')).toMatchObject({ status: 404 });
  });

  it('happens by itself with WATCH_MODELS, once a copied file is complete', async () => {
    await using repository = await temporaryRepository('iris');
    await using elsewhere = await temporaryRepository('titanic');
    await using server = await startReadyServer({ MODELS_DIR: repository.path, WATCH_MODELS: '1' });
    await rename(join(elsewhere.path, 'titanic'), join(repository.path, 'titanic'));
    const state = async () => (await getJson(server, '/models/titanic')).body['state'];
    await expect.poll(state).toBe('READY');
  });

  it('again and again takes no memory', { timeout: 60_000 }, async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    const [folder] = await scanRepository(repository.path);
    if (folder === undefined) throw new Error('The repository is empty');
    const reload = async (times: number) => {
      for (let count = 0; count < times; count += 1) {
        await server.registry.syncModel(folder, { reload: true });
        expect(await predict(server)).toMatchObject({ status: 200 });
      }
      global.gc?.();
      return process.memoryUsage.rss();
    };
    const warmBytes = await reload(40);
    const laterBytes = await reload(100);
    expect(laterBytes - warmBytes).toBeLessThan(24 * 2 ** 20);
  });
});
