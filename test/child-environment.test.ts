import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { childEnvironment } from '../src/child-environment.ts';
import { spawnRunner } from '../src/inference/runner/spawn-runner.ts';
import { temporaryDatabase } from './helpers/database.ts';
import { temporaryRepository } from './helpers/folder.ts';
import { runnerPids } from './helpers/process.ts';
import { startReadyServer } from './helpers/server.ts';
import { whenTasksAreReady } from './helpers/tasks.ts';

it('has what programs and native libraries need, and nothing else', () => {
  const kept = {
    PATH: '/bin',
    HOME: '/h',
    LC_ALL: 'C',
    OMP_NUM_THREADS: '1',
    CUDA_VISIBLE_DEVICES: '0',
    LD_PRELOAD: 'x',
    NODE_COMPILE_CACHE: '/c',
  };
  const secrets = { API_KEYS: 'a', DATABASE_URL: 'b', AWS_SECRET_ACCESS_KEY: 'c', WEBHOOK_SECRET: 'd', MY_TOKEN: 'e' };
  expect(childEnvironment({ ...kept, ...secrets })).toEqual(kept);
});

it.skipIf(process.platform !== 'linux')('is what runners and the embedded database get', async () => {
  process.env['A_SECRET_OF_THE_OPERATOR'] = 'hunter2';
  try {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path, ...database.environment }, undefined, {
      spawnRunner,
    });
    await whenTasksAreReady(server.address);
    const pids = [...(await runnerPids(server.address, 'iris')), server.storage?.pid];
    expect(pids.length).toBeGreaterThanOrEqual(2);
    for (const pid of pids) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      expect(environment).toContain('PATH=');
      expect(environment).not.toContain('hunter2');
    }
  } finally {
    delete process.env['A_SECRET_OF_THE_OPERATOR'];
  }
});
