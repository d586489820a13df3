import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fixtureRepository } from '../../helpers/folder.ts';
import { postJson, startReadyServer } from '../../helpers/server.ts';

it('more rows than a model takes are refused with the limit and its setting, on every way', async () => {
  await using repository = await fixtureRepository(['doubles']);
  await writeFile(join(repository.path, 'doubles', 'model.json'), '{"batching": {"maxQueueRows": 10}}');
  await using server = await startReadyServer({ MODELS_DIR: repository.path, DEFAULT_MODEL: 'doubles' }, []);
  const rows = Array.from({ length: 11 }, () => [1]);
  for (const [path, body] of [
    ['/models/doubles/predict', { x: rows }],
    ['/v1/models/doubles:predict', { instances: rows }],
    ['/v2/models/doubles/infer', { inputs: [{ name: 'x', datatype: 'FP64', shape: [11, 1], data: rows.flat() }] }],
    ['/invocations', { instances: rows }],
  ] as const) {
    const { status, body: answer } = await postJson(server.address, path, body);
    expect([status, JSON.stringify(answer)], path).toEqual([
      413,
      expect.stringContaining('at most 10 rows (batching.maxQueueRows)'),
    ]);
  }
});
