import { mkdir, mkdtemp, readdir, readFile, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { loadModel } from '../../src/inference/model.ts';
import { spawnRunner } from '../../src/inference/runner/spawn-runner.ts';
import { createAssemble } from '../../src/models/assemble.ts';
import { makePrivateFolder, sweepPrivateFolders } from '../../src/models/files/private-folder.ts';
import { Registry } from '../../src/models/registry/registry.ts';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { float32 } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { float, onnxModel } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { context } from '../inference/models.ts';

/** As many weights as take more than a page of memory. */
/** A runner starts within seconds, and some machines are slow. */
const untilRestarted = { timeout: 50_000 };

const columns = 5_000;

/** `y = x · w + shift`, whose weights are in the file `location` beside it. */
function externalModel(location: string, shift = 0): Buffer {
  const value = { element: float, shape: ['n', columns] };
  return onnxModel({
    inputs: { x: value },
    outputs: { y: value },
    initializers: [
      { name: 'w', type: float, dims: [columns], location },
      { name: 'shift', type: float, dims: [1], raw: Buffer.from(new Float32Array([shift]).buffer) },
    ],
    nodes: [
      { op: 'Mul', inputs: ['x', 'w'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'shift'], outputs: ['y'] },
    ],
  });
}

function weights(of: number): Buffer {
  return Buffer.from(new Float32Array(columns).fill(of).buffer);
}

/** A repository and a registry that follows it when it is told to. */
async function openRepository() {
  const folder = await temporaryFolder();
  // The temporary folder of the server, where its copies are.
  const temporary = await mkdtemp(join(tmpdir(), 'inferd-test-'));
  vi.stubEnv('TMPDIR', temporary);
  const log = pino({ level: 'silent' });
  const registry = new Registry({
    assemble: createAssemble({ loadModel: (model) => loadModel(model, { clock: systemClock, log }), log }),
    now: () => systemClock.now(),
    log,
  });
  const lease = () => {
    const found = registry.acquire('m');
    found.release();
    return found;
  };
  return {
    path: folder.path,
    registry,
    sync: async () => registry.sync(await scanRepository(folder.path)),
    version: () => registry.getVersion('m', '1'),
    /** The first element of what the model makes of ones. */
    predict: async () => {
      const x = float32([1, columns], new Array<number>(columns).fill(1));
      const { outputs } = await lease().predictor.predict({ x }, context());
      return outputs['y']?.data[0];
    },
    engine: () => lease().engine,
    copies: () => readdir(temporary),
    async [Symbol.asyncDispose]() {
      await registry.close();
      vi.unstubAllEnvs();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function addModel(root: string, location = 'weights.bin'): Promise<{ graph: string; data: string }> {
  await mkdir(join(root, 'm/1'), { recursive: true });
  const graph = join(root, 'm/1/model.onnx');
  const data = join(root, 'm/1', location);
  await writeFile(graph, externalModel(location));
  await writeFile(data, weights(2));
  return { graph, data };
}

/** A server over a repository, with `WATCH_MODELS`. */
async function watchingServer() {
  const folder = await temporaryFolder();
  await mkdir(join(folder.path, 'm/1'), { recursive: true });
  const server = await startReadyServer({ MODELS_DIR: folder.path, WATCH_MODELS: '1', ALLOW_NO_MODELS: '1' }, [], {
    spawnRunner,
  });
  return {
    folder: join(folder.path, 'm/1'),
    state: async () => {
      const response = await fetch(new URL('/models/m', server.address));
      return ((await response.json()) as { state?: string }).state;
    },
    first: async () => {
      const x = [new Array<number>(columns).fill(1)];
      const { body } = await postJson(server.address, '/models/m/predict', { x });
      return (body as { y: number[][] }).y[0]?.[0];
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('a model with external data', () => {
  it('is followed by WATCH_MODELS, whichever of its files comes first or is replaced', {
    timeout: 60_000,
  }, async () => {
    await using watched = await watchingServer();
    await writeFile(join(watched.folder, 'model.onnx'), externalModel('weights.bin'));
    await expect.poll(watched.state).toBe('UNAVAILABLE');
    await writeFile(join(watched.folder, 'weights.bin'), weights(2));
    await expect.poll(watched.state).toBe('READY');
    expect(await watched.first()).toBe(2);
    await writeFile(join(watched.folder, 'weights.bin'), weights(3));
    await expect.poll(watched.first).toBe(3);
  });

  it('keeps its answers when its weights are overwritten, until they are loaded', async () => {
    await using repository = await openRepository();
    const { data } = await addModel(repository.path);
    await repository.sync();
    expect(await repository.predict()).toBe(2);

    await writeFile(data, weights(3));
    expect(await repository.predict()).toBe(2);
    await repository.sync();
    expect(await repository.predict()).toBe(3);
  });

  it('is loaded when its graph is as before and its weights are replaced by older ones of the same size', async () => {
    await using repository = await openRepository();
    const { data } = await addModel(repository.path);
    await utimes(data, 1, 1);
    await repository.sync();
    await writeFile(`${data}.new`, weights(4));
    await utimes(`${data}.new`, 1, 1);
    await rename(`${data}.new`, data);
    await repository.sync();
    expect(await repository.predict()).toBe(4);
  });

  it('outlives that its weights become shorter under it', async () => {
    await using repository = await openRepository();
    const { data } = await addModel(repository.path);
    await repository.sync();
    const [before] = repository.engine()?.stats().runners ?? [];
    await truncate(data, 0);
    expect(await repository.predict()).toBe(2);
    expect(repository.engine()?.stats().runners[0]?.pid).toBe(before?.pid);

    await repository.sync();
    expect(await repository.predict()).toBe(2);
    expect(repository.version().state).toBe('READY');
  });

  it('starts its runners anew from what was loaded', async () => {
    await using repository = await openRepository();
    const { data, graph } = await addModel(repository.path);
    await repository.sync();
    await writeFile(data, weights(5));
    await writeFile(graph, externalModel('weights.bin', 100));
    const runner = () => repository.engine()?.stats().runners[0];
    const killed = runner()?.pid;
    process.kill(killed ?? 0, 'SIGKILL');
    await expect.poll(() => runner()?.state === 'ready' && runner()?.pid !== killed, untilRestarted).toBe(true);
    expect(await repository.predict()).toBe(2);
  });

  it('waits for weights that come after the graph', async () => {
    await using repository = await openRepository();
    await mkdir(join(repository.path, 'm/1'), { recursive: true });
    await writeFile(join(repository.path, 'm/1/model.onnx'), externalModel('weights.bin'));
    await repository.sync();
    expect(repository.version()).toMatchObject({
      state: 'UNAVAILABLE',
      reason: expect.stringContaining('weights.bin'),
    });
    await writeFile(join(repository.path, 'm/1/weights.bin'), weights(2));
    await repository.sync();
    expect(await repository.predict()).toBe(2);
  });

  it('may be a bare file, and have its data in a folder', async () => {
    await using repository = await openRepository();
    await writeFile(join(repository.path, 'm.onnx'), externalModel('data/w.bin'));
    await mkdir(join(repository.path, 'data'));
    await writeFile(join(repository.path, 'data/w.bin'), weights(7));
    await repository.sync();
    expect(await repository.predict()).toBe(7);
    await writeFile(join(repository.path, 'data/w.bin'), weights(8));
    await repository.sync();
    expect(await repository.predict()).toBe(8);
  });

  it('leaves no copy behind when it is replaced, cannot be loaded, or is unloaded', async () => {
    await using repository = await openRepository();
    const { data, graph } = await addModel(repository.path);
    await repository.sync();
    expect(await repository.copies()).toHaveLength(1);
    await writeFile(data, weights(3));
    await repository.sync();
    expect(await repository.copies()).toHaveLength(1);
    await writeFile(graph, Buffer.concat([externalModel('weights.bin'), Buffer.from([0xff])]));
    await repository.sync();
    expect(await repository.copies()).toHaveLength(1);
    await repository.registry.unload('m');
    expect(await repository.copies()).toEqual([]);
  });

  it('is read into memory where no copy can be made', async () => {
    await using repository = await openRepository();
    const { data } = await addModel(repository.path);
    vi.stubEnv('TMPDIR', '/nonexistent');
    await repository.sync();
    expect(await repository.predict()).toBe(2);
    await truncate(data, 0);
    expect(await repository.predict()).toBe(2);

    // A runner that starts now would have other weights than those that were loaded.
    process.kill(repository.engine()?.stats().runners[0]?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => repository.version().reason, untilRestarted).toMatch(/have changed/);
    await writeFile(data, weights(6));
    await repository.sync();
    expect(await repository.predict()).toBe(6);
  });
});

it('a model without external data is not copied, and its runners start anew from what was loaded or not at all', async () => {
  await using repository = await openRepository();
  const graph = join(repository.path, 'm.onnx');
  const value = { element: float, shape: ['n', columns] };
  const model = (op: string) =>
    onnxModel({ inputs: { x: value }, outputs: { y: value }, nodes: [{ op, inputs: ['x'], outputs: ['y'] }] });
  await writeFile(graph, model('Identity'));
  await repository.sync();
  expect(await repository.copies()).toEqual([]);

  await writeFile(graph, model('Neg'));
  expect(await repository.predict()).toBe(1);
  process.kill(repository.engine()?.stats().runners[0]?.pid ?? 0, 'SIGKILL');
  await expect.poll(() => repository.version().reason, untilRestarted).toMatch(/have changed/);
  await repository.sync();
  expect(await repository.predict()).toBe(-1);
});

it('deletes the copies of processes that were killed, and no others', async () => {
  await using folder = await temporaryFolder();
  const host = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '-');
  const kept = [`inferd-model-elsewhere_1_5_a`, 'inferd-other', 'notes'];
  vi.stubEnv('TMPDIR', folder.path);
  const own = await makePrivateFolder('upload');
  vi.unstubAllEnvs();
  const start = (await readFile('/proc/self/stat', 'utf8')).split(') ')[1]?.split(' ')[19];
  expect(own.path).toContain(`_${process.pid}_${start}_`);
  // A process of the same number that was started at another time, and a number that no process has.
  const left = [`inferd-model-${host}_${process.pid}_1_a`, `inferd-upload-${host}_4999999_1_a`];
  for (const name of [...kept, ...left]) await mkdir(join(folder.path, name));
  await writeFile(join(folder.path, left[0] ?? '', 'weights.bin'), 'x');

  await sweepPrivateFolders(folder.path);
  const rest = await readdir(folder.path);
  expect(rest.map((name) => join(folder.path, name)).sort()).toEqual(
    [...kept.map((name) => join(folder.path, name)), own.path].sort(),
  );
});
