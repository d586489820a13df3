import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/inference/model.ts';
import { createAssemble } from '../../src/models/assemble.ts';
import { Registry } from '../../src/models/registry/registry.ts';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { ReadinessGate } from '../../src/serving/readiness.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { processesFor } from '../helpers/local-runner.ts';
import { runnerPids } from '../helpers/process.ts';
import { startReadyServer, type TestServer } from '../helpers/server.ts';

const log = { info() {}, warn() {}, error() {} };

async function ready({ address }: TestServer) {
  const response = await fetch(new URL('/health/ready', address));
  return { status: response.status, body: await response.json() };
}

describe('the readiness of a server', () => {
  it('is refused before its models are loaded and while it drains, whatever they are', async () => {
    await using repository = await temporaryRepository('iris');
    const registry = new Registry({
      assemble: createAssemble({ loadModel: (model) => loadModel(model, { clock: systemClock, log }), log }),
      now: () => systemClock.now(),
      log,
    });
    const gate = new ReadinessGate(registry);
    expect(gate.check()).toEqual({ ready: false, problems: [{ reason: 'the server is starting' }] });
    await registry.sync(await scanRepository(repository.path));
    expect(gate.check().ready).toBe(false);
    gate.serve();
    expect(gate.check()).toEqual({ ready: true, problems: [] });
    gate.drain();
    expect(gate.check()).toEqual({ ready: false, problems: [{ reason: 'the server is shutting down' }] });
    gate.serve();
    expect(gate.check().ready).toBe(false);
    await registry.close();
  });

  it('is refused without a model, unless ALLOW_NO_MODELS', async () => {
    await using repository = await temporaryRepository();
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await ready(server)).toMatchObject({ status: 503, body: { problems: [{ reason: 'no model is loaded' }] } });
    await using allowed = await startReadyServer({ MODELS_DIR: repository.path, ALLOW_NO_MODELS: '1' });
    expect(await ready(allowed)).toEqual({ status: 200, body: { ready: true, problems: [] } });
  });

  it('is refused when a warm-up fails', async () => {
    await using repository = await temporaryRepository('iris', 'titanic');
    const warmup = [{ features: { datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] } }];
    await writeFile(join(repository.path, 'iris/model.json'), JSON.stringify({ warmup }));
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await ready(server)).toMatchObject({
      status: 503,
      body: { problems: [{ model: 'iris', version: '1', reason: expect.stringMatching(/^Warm-up request 1 failed/) }] },
    });
  });

  it('is refused while a model has no living runner, and comes back with it', async () => {
    await using server = await startReadyServer({}, undefined, { spawnRunner: processesFor('iris') });
    for (const pid of await runnerPids(server.address, 'iris')) process.kill(pid, 'SIGKILL');
    await expect
      .poll(() => ready(server), { interval: 5 })
      .toMatchObject({
        status: 503,
        body: { problems: [{ model: 'iris', version: '1', reason: expect.stringContaining('runner') }] },
      });
    await expect.poll(() => ready(server)).toMatchObject({ status: 200 });
  });
});
