import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/inference/model.ts';
import { createAssemble } from '../../src/models/assemble.ts';
import { ModelControl } from '../../src/models/model-control.ts';
import { Registry } from '../../src/models/registry/registry.ts';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { float32 } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { temporaryFolder } from '../helpers/folder.ts';

const fixture = (name: string) => new URL(`../fixtures/models/${name}.onnx`, import.meta.url).pathname;

/** A repository of copies of fixture models, `name` or `name/version`, and the control of it, with nothing loaded yet. */
async function repository(...paths: string[]) {
  const folder = await temporaryFolder();
  for (const path of paths) {
    const [name, version] = path.split('/');
    if (name === undefined) continue;
    const target = version === undefined ? `${name}.onnx` : `${path}/model.onnx`;
    await mkdir(join(folder.path, target, '..'), { recursive: true });
    await cp(fixture(name), join(folder.path, target));
  }
  const log = pino({ level: 'silent' });
  const registry = new Registry({
    assemble: createAssemble({ loadModel: (model) => loadModel(model, { clock: systemClock, log }), log }),
    now: () => systemClock.now(),
    log,
  });
  const dispose = async () => {
    await registry.close();
    await folder[Symbol.asyncDispose]();
  };
  const control = new ModelControl({ modelsDir: folder.path, registry });
  return { path: folder.path, registry, control, [Symbol.asyncDispose]: dispose };
}

const pidsOf = (registry: Registry, name: string) => {
  const lease = registry.acquire(name);
  lease.release();
  return (lease.engine?.stats().runners ?? []).map(({ pid }) => pid);
};

describe('the index', () => {
  it('has what is on disk by its name alone until it is loaded', async () => {
    await using models = await repository('linear', 'copy');
    expect(await models.control.index()).toEqual([{ name: 'copy' }, { name: 'linear' }]);
    await models.control.load('linear');
    expect(await models.control.index()).toEqual([{ name: 'copy' }, { name: 'linear', version: '1', state: 'READY' }]);
  });

  it('says why a model cannot be used, before and after somebody tried', async () => {
    await using models = await repository('broken');
    await mkdir(join(models.path, 'empty'));
    await writeFile(join(models.path, 'empty/model.json'), '{}');
    expect(await models.control.index()).toEqual([
      { name: 'broken' },
      { name: 'empty', state: 'UNAVAILABLE', reason: expect.stringMatching(/no version/) },
    ]);
    await models.registry.sync(await scanRepository(models.path));
    expect(await models.control.index()).toEqual([
      { name: 'broken', version: '1', state: 'UNAVAILABLE', reason: expect.stringMatching(/cannot be loaded/) },
      { name: 'empty', state: 'UNAVAILABLE', reason: expect.stringMatching(/no version/) },
    ]);
  });

  it('keeps an unloaded model with every version that it had', async () => {
    await using models = await repository('linear/1', 'linear/2');
    await writeFile(join(models.path, 'linear/model.json'), '{"versionPolicy":"all"}');
    await models.control.load('linear');
    await models.control.unload('linear');
    const unloaded = { name: 'linear', state: 'UNAVAILABLE', reason: 'unloaded' };
    expect(await models.control.index()).toEqual([
      { ...unloaded, version: '2' },
      { ...unloaded, version: '1' },
    ]);
    await models.control.load('linear');
    expect((await models.control.index()).map(({ version, state }) => [version, state])).toEqual([
      ['2', 'READY'],
      ['1', 'READY'],
    ]);
  });
});

describe('load', () => {
  it('refuses what is not on disk, and names what is', async () => {
    await using models = await repository('linear');
    await expect(models.control.load('nothing')).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      expected: ['linear'],
    });
  });

  it('starts new runners for a model that is loaded and has not changed', async () => {
    await using models = await repository('linear');
    await models.control.load('linear');
    const [before] = pidsOf(models.registry, 'linear');
    await models.control.load('linear');
    const [after] = pidsOf(models.registry, 'linear');
    expect(after).toBeTypeOf('number');
    expect(after).not.toBe(before);
  });

  it('rejects with the reason, and leaves the loaded version in service', async () => {
    await using models = await repository('linear');
    await models.control.load('linear');
    await cp(fixture('broken'), join(models.path, 'linear.onnx'));
    await expect(models.control.load('linear')).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
    expect(await models.control.index()).toEqual([{ name: 'linear', version: '1', state: 'READY' }]);

    await rm(join(models.path, 'linear.onnx'));
    await mkdir(join(models.path, 'linear/1'), { recursive: true });
    await cp(fixture('linear'), join(models.path, 'linear/1/model.onnx'));
    await writeFile(join(models.path, 'linear/model.json'), '{"instances":0}');
    await expect(models.control.load('linear')).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(models.registry.acquire('linear').release()).toBeUndefined();
  });

  it('takes its turn when it comes while the model unloads', async () => {
    await using models = await repository('linear');
    await models.control.load('linear');
    await Promise.all([models.control.unload('linear'), models.control.load('linear')]);
    expect(await models.control.index()).toEqual([{ name: 'linear', version: '1', state: 'READY' }]);
    expect(pidsOf(models.registry, 'linear')).toHaveLength(1);
  });
});

describe('unload', () => {
  it('waits for the requests in flight', async () => {
    await using models = await repository('copy');
    await models.control.load('copy');
    const lease = models.registry.acquire('copy');
    let isUnloaded = false;
    const unloading = models.control.unload('copy').then(() => {
      isUnloaded = true;
    });
    const context = { requestId: 'a', signal: new AbortController().signal, deadlineMs: Infinity, arrivedAt: 0 };
    const { outputs } = await lease.predictor.predict({ x: float32([1, 1], [7]) }, context);
    expect(outputs).toMatchObject({ y: { shape: [1, 1] } });
    expect(isUnloaded).toBe(false);
    expect(await models.control.index()).toMatchObject([{ name: 'copy', state: 'UNLOADING' }]);
    lease.release();
    await unloading;
    expect(() => models.registry.acquire('copy')).toThrow(/no model/);
  });

  it('takes no offence at a model that is not there', async () => {
    await using models = await repository();
    await models.control.unload('nothing');
    expect(await models.control.index()).toEqual([]);
  });
});
