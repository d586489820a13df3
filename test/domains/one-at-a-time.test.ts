import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { domainWork } from '../../src/domains/deferred.ts';
import { defineDomain } from '../../src/domains/define-domain.ts';
import { AppError } from '../../src/errors.ts';
import { ServedCounters } from '../../src/served/served-counters.ts';
import { createInfer } from '../../src/serving/infer.ts';
import { int64 } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { int64 as elementInt64, onnxModel } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';

/** `y` has as many rows as `count` says, whose values are 0, 1, …; a count below 0 is refused by the model. */
const counts = onnxModel({
  inputs: { count: { element: elementInt64, shape: [1] } },
  outputs: { y: { element: elementInt64, shape: ['found'] } },
  initializers: [
    { name: 'zero', type: elementInt64, dims: [], int64s: [0n] },
    { name: 'one', type: elementInt64, dims: [], int64s: [1n] },
    { name: 'table', type: elementInt64, dims: [9], int64s: [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n] },
    { name: 'axes', type: elementInt64, dims: [1], int64s: [0n] },
  ],
  nodes: [
    { op: 'Gather', inputs: ['table', 'count'], outputs: ['known'] },
    { op: 'Squeeze', inputs: ['known', 'axes'], outputs: ['limit'] },
    { op: 'Range', inputs: ['zero', 'limit', 'one'], outputs: ['y'] },
  ],
});

const input = z.strictObject({ count: z.int() });

const ranges = defineDomain({
  name: 'ranges',
  model: 'ranges',
  summary: 'Counts.',
  input,
  output: z.object({ numbers: z.array(z.number()) }),
  examples: [{ count: 3 }],
  encode(instances) {
    const bad = instances.flatMap(({ count }, row) =>
      count < 0 ? [{ location: [row, 'count'], type: 'too_small', message: 'count is below 0' }] : [],
    );
    if (bad.length > 0) throw new AppError('VALIDATION_FAILED', { message: 'count is below 0', faults: bad });
    return { count: int64([instances.length], instances.map(({ count }) => count)) }; // biome-ignore format: one line
  },
  decode: ({ y }, instances) => instances.map(() => ({ numbers: [...(y?.data ?? [])].map(Number) })),
});

async function repository(): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'ranges.onnx'), counts);
  return folder;
}

describe('a domain over a model that takes one instance at a time', () => {
  it('runs many one by one, and answers them in order', async () => {
    await using folder = await repository();
    await using server = await startReadyServer({ MODELS_DIR: folder.path }, [ranges]);
    const wanted = Array.from({ length: 50 }, (_, index) => ({ count: (index * 5) % 8 }));
    const { status, body, headers } = await postJson(server.address, '/ranges/predict/batch', { instances: wanted });
    expect(status).toBe(200);
    expect(body).toEqual({
      predictions: wanted.map(({ count }) => ({ numbers: Array.from({ length: count }, (_, index) => index) })),
    });
    expect(headers.get('x-model-name')).toBe('ranges');
    expect(await postJson(server.address, '/ranges/predict', { count: 2 })).toMatchObject({
      body: { numbers: [0, 1] },
    });
  });

  it('names every instance that is at fault by its index, whether the domain or the model refuses it', async () => {
    await using folder = await repository();
    await using server = await startReadyServer({ MODELS_DIR: folder.path }, [ranges]);
    const instances = [{ count: 1 }, { count: -1 }, { count: 2 }, { count: 99 }];
    expect(await postJson(server.address, '/ranges/predict/batch', { instances })).toMatchObject({
      status: 422,
      body: {
        errors: [
          { location: ['body', 'instances', 1, 'count'], type: 'too_small' },
          { location: ['body', 'instances', 3], type: 'model_refused_input' },
        ],
      },
    });
  });

  it('does so in the background, too, and keeps one result for each instance', async () => {
    await using folder = await repository();
    await using server = await startReadyServer({ MODELS_DIR: folder.path }, [ranges]);
    const kept: unknown[] = [];
    const infer = createInfer({
      registry: server.registry,
      clock: systemClock,
      timeoutMs: 20_000,
      counters: new ServedCounters(),
      recorder: {
        recordAnswer({ typed }, _inference, answer) {
          kept.push({ typed, answer });
          return 'id';
        },
        recordFailure: () => undefined,
        recordShadow: () => undefined,
      },
    });
    const order = { shape: 'many', instances: [{ count: 3 }, { count: 0 }, { count: 1 }] };
    const context = { requestId: 'r', signal: new AbortController().signal, caller: undefined };
    const predictions = [{ numbers: [0, 1, 2] }, { numbers: [] }, { numbers: [0] }];
    expect(await domainWork(ranges, infer).run(order, context)).toEqual({
      result: { predictions },
      predictionId: 'id',
    });
    expect(kept).toEqual([{ typed: { domain: 'ranges', instances: order.instances }, answer: predictions }]);
  });
});
