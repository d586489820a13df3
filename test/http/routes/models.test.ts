import { expect, it } from 'vitest';
import { spawnRunner } from '../../../src/inference/runner/spawn-runner.ts';
import { temporaryRepository } from '../../helpers/folder.ts';
import { postJson, startReadyServer } from '../../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

it('GET /models/{name} tells signature, labels, runners, queue and the learned cost of a run', async () => {
  await using repository = await temporaryRepository('iris');
  await using server = await startReadyServer({ MODELS_DIR: repository.path }, undefined, { spawnRunner });
  for (const rows of [1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32]) {
    await postJson(server.address, '/iris/predict/batch', { instances: new Array(rows).fill(flower) });
  }
  const response = await fetch(new URL('/models/iris', server.address));
  expect(await response.json()).toMatchObject({
    name: 'iris',
    state: 'READY',
    versions: [
      {
        version: '1',
        state: 'READY',
        load_ms: expect.any(Number),
        inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4], dimensions: ['batch', 4] }],
        outputs: [
          { name: 'label', datatype: 'INT64', shape: [-1] },
          { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
        ],
        independent_rows: true,
        independent_rows_why: 'Runs of 32 made-up rows gave each row what it gives alone.',
        runners: [{ pid: expect.any(Number), state: 'ready', rss_bytes: expect.any(Number), restarts: 0 }],
        queue: { rows: 0, bytes: 0, oldest_wait_ms: 0, background_rows: 0 },
        cost: { per_row_ms: expect.any(Number), per_run_ms: expect.any(Number) },
        labels: { label: ['setosa', 'versicolor', 'virginica'] },
        metadata: { task: 'classification' },
      },
    ],
  });
});
