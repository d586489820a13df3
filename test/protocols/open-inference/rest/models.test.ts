import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from '../../../helpers/server.ts';
import { binaryBody, get, post, serveFixtures, textBytes } from './client.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFixtures(['linear', 'fixed_first', 'bools', 'scalar', 'strings']);
});

afterAll(() => server.stop());

describe('metadata', () => {
  it('of the server names the extensions that it has', async () => {
    expect(await get(server.address, '/v2')).toMatchObject({
      status: 200,
      json: {
        name: 'inferd',
        version: '0.0.0-test',
        extensions: [
          'binary_tensor_data',
          'classification',
          'model_configuration',
          'model_repository',
          'parameters',
          'schedule_policy',
          'statistics',
        ],
      },
    });
    const { json } = await get(server.address, '/v2/models');
    expect(json).toEqual({ models: ['bools', 'fixed_first', 'linear', 'scalar', 'strings'] });
  });

  it.each(['/v2/models/linear', '/v2/models/linear/versions/1'])('of a model: %s', async (path) => {
    expect((await get(server.address, path)).json).toEqual({
      name: 'linear',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'scores', datatype: 'FP32', shape: [-1, 3] },
      ],
    });
    expect((await get(server.address, `${path}/ready`)).json).toEqual({ name: 'linear', ready: true });
  });

  it('has the configuration in the words of Triton', async () => {
    expect((await get(server.address, '/v2/models/linear/versions/1/config')).json).toEqual({
      name: 'linear',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      version_policy: { latest: { num_versions: 1 } },
      max_batch_size: 32,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }],
      output: [
        { name: 'label', data_type: 'TYPE_INT64', dims: [] },
        { name: 'scores', data_type: 'TYPE_FP32', dims: [3] },
      ],
      instance_group: [{ name: 'linear', kind: 'KIND_CPU', count: 1 }],
      dynamic_batching: { max_queue_delay_microseconds: 0, priority_levels: 10, default_priority_level: 5 },
    });
    const { json } = await get(server.address, '/v2/models/fixed_first/config');
    expect(json).toMatchObject({ max_batch_size: 0, input: [{ data_type: 'TYPE_FP32', dims: [1, 4] }] });
    const strings = await get(server.address, '/v2/models/strings/config');
    expect(strings.json).toMatchObject({ input: [{ data_type: 'TYPE_STRING', dims: [2] }] });
  });
});

describe('classification', () => {
  const inputs = [{ name: 'x', shape: [2, 4], datatype: 'FP32', data: [1, 0, 0, 0, 0, 0, 0, -1] }];
  const ask = (model: string, body: object) => post(server.address, `/v2/models/${model}/infer`, body);

  it('gives the best classes of each row as texts', async () => {
    const outputs = [{ name: 'scores', parameters: { classification: 2 } }];
    expect((await ask('linear', { inputs, outputs })).json.outputs).toEqual([
      {
        name: 'scores',
        datatype: 'BYTES',
        shape: [2, 2],
        data: ['-4.000000:2', '-5.000000:1', '-3.000000:0', '-4.000000:1'],
      },
    ]);
  });

  it('gives them in binary too, and no more than there are', async () => {
    const outputs = [{ name: 'scores', parameters: { classification: 9, binary_data: true } }];
    const reply = await ask('linear', { inputs: [{ ...inputs[0], shape: [1, 4], data: [1, 0, 0, 0] }], outputs });
    expect(reply.json.outputs).toMatchObject([{ datatype: 'BYTES', shape: [1, 3] }]);
    expect(reply.sections['scores']).toEqual(textBytes('-4.000000:2', '-5.000000:1', '-6.000000:0'));
  });

  it('takes a model without rows as one list of classes', async () => {
    const x = { name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, -2, 3, 4] };
    const outputs = [{ name: 'y', parameters: { classification: 1 } }];
    const reply = await ask('fixed_first', { inputs: [x], outputs });
    expect(reply.json.outputs).toMatchObject([{ shape: [1], data: ['2.000000:1'] }]);
  });

  it('is refused for what has no order', async () => {
    const x = { name: 'x', shape: [2], datatype: 'BOOL', data: [true, false] };
    const outputs = [{ name: 'y', parameters: { classification: 1 } }];
    const reply = await ask('bools', { inputs: [x], outputs });
    expect(reply.status).toBe(400);
    expect(reply.json.error).toBe('Output "y": classification needs numbers, the output is BOOL');
  });
});

describe('statistics', () => {
  const statistics = async (path: string) =>
    ((await get(server.address, path)).json as { model_stats: Record<string, unknown>[] }).model_stats;

  it('count requests, rows, runs and failures', async () => {
    const path = '/v2/models/scalar/versions/1/stats';
    expect(await statistics(path)).toMatchObject([{ last_inference: 0, inference_count: 0, batch_stats: [] }]);
    const before = Date.now();
    const ask = (data: unknown) =>
      post(server.address, '/v2/models/scalar/infer', { inputs: [{ name: 'x', shape: [], datatype: 'FP32', data }] });
    for (const data of [1, 2, 3, 'no number']) await ask(data);

    const three = { count: 3, ns: expect.any(Number) };
    const none = { count: 0, ns: 0 };
    expect(await statistics(path)).toEqual([
      {
        name: 'scalar',
        version: '1',
        last_inference: expect.any(Number),
        inference_count: 3,
        execution_count: 3,
        inference_stats: {
          success: three,
          fail: { count: 1, ns: expect.any(Number) },
          queue: three,
          compute_input: three,
          compute_infer: three,
          compute_output: three,
          cache_hit: none,
          cache_miss: none,
        },
        response_stats: {},
        batch_stats: [
          {
            batch_size: 1,
            compute_input: { count: 3, ns: 0 },
            compute_infer: three,
            compute_output: { count: 3, ns: 0 },
          },
        ],
        memory_usage: [{ type: 'CPU', id: 0, byte_size: expect.any(Number) }],
      },
    ]);
    const [stat] = await statistics(path);
    expect(stat?.['last_inference']).toBeGreaterThanOrEqual(before);
  });

  it('count the rows of a request, and each run by its rows', async () => {
    const inputs = [{ name: 'x', shape: [40, 4], datatype: 'FP32', data: new Array(160).fill(1) }];
    expect((await post(server.address, '/v2/models/linear/infer', { inputs })).status).toBe(200);
    const [stat] = await statistics('/v2/models/linear/stats');
    expect(stat?.['batch_stats']).toEqual(expect.arrayContaining([expect.objectContaining({ batch_size: 40 })]));
  });

  it('are there for every model', async () => {
    const names = (await statistics('/v2/models/stats')).map(({ name }) => name);
    expect(names).toEqual(['bools', 'fixed_first', 'linear', 'scalar', 'strings']);
  });

  it('count the failures of binary requests as well', async () => {
    const input = { name: 'x', shape: [3], datatype: 'BOOL', parameters: { binary_data_size: 3 } };
    const { headers, body } = binaryBody({ inputs: [input] }, Uint8Array.of(1, 2, 3));
    const failures = async () => {
      const [stat] = await statistics('/v2/models/bools/stats');
      return Number(JSON.stringify(stat).match(/"fail":\{"count":(\d+)/)?.[1]);
    };
    const before = await failures();
    await post(server.address, '/v2/models/bools/infer', body, headers);
    expect(await failures()).toBe(before + 1);
  });
});
