import { describe, expect, it } from 'vitest';
import { fixtureRepository } from '../../helpers/folder.ts';
import { HeldRuns } from '../../helpers/local-runner.ts';
import { startReadyServer } from '../../helpers/server.ts';

const bodies = {
  '/models/hangs/predict': (turns: number) => ({ turns: [turns] }),
  '/v1/models/hangs:predict': (turns: number) => ({ instances: [turns] }),
  '/v2/models/hangs/infer': (turns: number) => ({
    inputs: [{ name: 'turns', datatype: 'INT64', shape: [1], data: [turns] }],
  }),
  '/invocations': (turns: number) => ({ instances: [turns] }),
};

describe('a request whose client is gone', () => {
  it.each(Object.entries(bodies))('is not run, by %s', async (path, bodyOf) => {
    await using repository = await fixtureRepository(['hangs'], {
      'hangs/model.json': '{ "batching": { "enabled": true } }',
    });
    const runs = new HeldRuns('hangs');
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, [], { spawnRunner: runs.spawnRunner });
    const model = server.registry.getVersion('hangs', '1').engine;
    const post = (turns: number, options: RequestInit = {}) =>
      fetch(server.address + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(bodyOf(turns)),
        ...options,
      });

    const client = new AbortController();
    const slow = post(1);
    await expect.poll(() => model?.stats().runners[0]?.state).toBe('busy');
    const waiting = post(1, { signal: client.signal });
    await expect.poll(() => model?.stats().queueRows).toBe(1);
    client.abort();
    await expect(waiting).rejects.toThrow();
    runs.release();
    expect((await slow).status).toBe(200);
    expect((await post(1)).status).toBe(200);
    expect(model?.stats().runners[0]?.runs).toBe(2);
  });
});
