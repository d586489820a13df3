import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/inference/model.ts';
import { float32, int64, type Tensor, text, zeros } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { context, modelOptions, openModel, outputsOf, recordingLog } from './models.ts';

const load = (model: string, overrides = {}) =>
  loadModel(modelOptions(model, overrides), { clock: systemClock, log: recordingLog() });

describe('loading', () => {
  test('reads the signature from the model', async () => {
    const { model } = await openModel('linear');
    expect(model.signature).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4], dimensions: ['n', 4] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1], dimensions: ['n'] },
        { name: 'scores', datatype: 'FP32', shape: [-1, 3], dimensions: ['n', 3] },
      ],
    });
    expect(model.independence.independentRows).toBe(true);
    expect(model.health).toEqual({ ready: true });
  });

  test.each([
    ['missing', 'exist'],
    ['broken', 'Protobuf parsing failed'],
    ['bfloats', 'Unsupported data type: 16'],
    ['only_sequence', 'none of its outputs is a tensor that can be served (list)'],
  ])('says why %s cannot be loaded', async (model, reason) => {
    await expect(load(model)).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringContaining(reason),
    });
  });

  test('gives up when it takes too long', async () => {
    const warmup = [{ turns: int64([1], [1_000_000_000_000]) }];
    await expect(load('hangs', { warmup, loadTimeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringContaining('longer than 1000 ms'),
    });
  });

  test('serves a model that hangs on the warm-up request that was made for it', async () => {
    const { model, log } = await openModel('hangs_on_zeros', { loadTimeoutMs: 4_000 });
    expect(log.map(({ message }) => message)).toContainEqual(expect.stringContaining('without such requests'));
    await expect(outputsOf(model, { turns: int64([1], [1]) }, context())).resolves.toBeDefined();
  });

  test('fails when a given warm-up request is refused', async () => {
    await expect(load('gather', { warmup: [{ i: int64([1], [99]) }] })).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringMatching(/Warm-up request 1 failed: .*out of data bounds/),
    });
  });

  test('fails when a given warm-up request does not fit', async () => {
    await expect(load('gather', { warmup: [{ j: int64([1], [0]) }] })).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringContaining('input "i" is missing'),
    });
  });

  test('leaves out an output that cannot be served, with a warning', async () => {
    const { model, log } = await openModel('sequence_beside');
    expect(model.signature.outputs.map(({ name }) => name)).toEqual(['y']);
    expect(log).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ outputs: ['list'] }) }),
    );
    const outputs = await outputsOf(model, { x: float32([1, 2], [3, 4]) }, context());
    expect(outputs['y']?.data).toEqual(Float32Array.of(3, 4));
    await expect(
      outputsOf(model, { x: float32([1, 2], [3, 4]) }, context({ outputs: ['list'] })),
    ).rejects.toMatchObject({
      code: 'SIGNATURE_MISMATCH',
    });
  });

  test('finds out that a model lies about its rows, and runs its requests singly', async () => {
    const { model } = await openModel('lies');
    expect(model.independence).toMatchObject({
      independentRows: false,
      why: 'The output "y" has the shape [2,4] for one row.',
    });
    const requests = [1, 2, 3].map((value) =>
      outputsOf(model, { x: float32([1, 4], new Array(4).fill(value)) }, context()),
    );
    const outputs = await Promise.all(requests);
    expect(outputs.map(({ y }) => y?.shape)).toEqual([
      [2, 4],
      [2, 4],
      [2, 4],
    ]);
    expect(outputs.map(({ y }) => y?.data[7])).toEqual([1, 2, 3]);
  });

  test('runs a model of one fixed row singly', async () => {
    const { model } = await openModel('fixed_first');
    expect(model.independence.independentRows).toBe(false);
    const requests = [1, 2, 3].map((value) =>
      outputsOf(model, { x: float32([1, 4], new Array(4).fill(value)) }, context()),
    );
    expect((await Promise.all(requests)).map(({ y }) => y?.data[0])).toEqual([-1, -2, -3]);
  });
});

describe('predict', () => {
  test('gives the outputs of a run by name', async () => {
    const { model } = await openModel('linear');
    const { outputs, timings } = await model.predict({ x: float32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) }, context());
    expect(outputs).toEqual({
      label: { datatype: 'INT64', shape: [2], data: BigInt64Array.of(2n, 2n) },
      scores: { datatype: 'FP32', shape: [2, 3], data: Float32Array.of(0, 10, 20, -24, 2, 28) },
    });
    expect(timings.inferMs).toBeGreaterThan(0);
    expect(timings.batchRows).toBe(2);
  });

  test('joins requests and gives each its own rows', async () => {
    const { model, batches } = await openModel('linear');
    const rows = [1, 2, 1, 3];
    const answers = await Promise.all(
      rows.map((count, i) => outputsOf(model, { x: float32([count, 4], new Array(4 * count).fill(i + 1)) }, context())),
    );
    expect(batches).toContainEqual({ rows: 7, requests: 4 });
    for (const [i, { scores }] of answers.entries()) {
      expect(scores?.shape).toEqual([rows[i], 3]);
      expect(scores?.data[0]).toBe(-6 * (i + 1));
    }
  });

  test('splits a request of more rows than a run takes, and puts it together again', async () => {
    const { model, batches } = await openModel('copy', { batching: { maxSize: 8 } });
    const values = Array.from({ length: 200 }, (_, i) => i);
    const outputs = await outputsOf(model, { x: float32([100, 2], values) }, context());
    expect(outputs['y']).toEqual(float32([100, 2], values));
    expect(batches.length).toBeGreaterThanOrEqual(13);
    expect(Math.max(...batches.map(({ rows }) => rows))).toBe(8);
  });

  test('joins only requests of the same shape', async () => {
    const { model } = await openModel('two_inputs');
    const answers = await Promise.all(
      [1, 2, 1, 3, 2].map((length, i) => {
        const a = float32([1, length], new Array(length).fill(i));
        return outputsOf(model, { a, b: float32([1, length], new Array(length).fill(1)) }, context());
      }),
    );
    expect(answers.map(({ sum }) => [...(sum?.data ?? [])])).toEqual([[1], [2, 2], [3], [4, 4, 4], [5, 5]]);
  });

  test('carries large tensors whose bytes are no whole number of words', async () => {
    const { model } = await openModel('copy');
    for (const length of [9001, 150_001, 9003]) {
      const values = Float32Array.from({ length }, (_, index) => index);
      const { y } = await outputsOf(model, { x: float32([1, length], values) }, context());
      expect(y).toEqual(float32([1, length], values));
    }
  });

  test('gives only the outputs that are wanted', async () => {
    const { model } = await openModel('two_inputs');
    const inputs = { a: float32([1, 1], [5]), b: float32([1, 1], [3]) };
    const [difference, sum] = await Promise.all([
      outputsOf(model, inputs, context({ outputs: ['difference'] })),
      outputsOf(model, inputs, context({ outputs: ['sum'] })),
    ]);
    expect(difference).toEqual({ difference: float32([1, 1], [2]) });
    expect(sum).toEqual({ sum: float32([1, 1], [8]) });
  });

  const roundTrips: readonly (readonly [string, Tensor])[] = [
    ['strings', text([2, 2], ['', 'é', 'ü€😀', 'plain'])],
    ['half', { datatype: 'FP16', shape: [2, 2], data: Uint16Array.of(0x3c00, 0xc000, 0x7c00, 0x0001) }],
    ['bools', { datatype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ['big_ints', int64([2, 1], [9_007_199_254_740_993n, -1n])],
    ['doubles', { datatype: 'FP64', shape: [1, 3], data: Float64Array.of(0.1, -0, Number.POSITIVE_INFINITY) }],
    ['scalar', float32([], [7])],
    ['copy', zeros('FP32', [0, 4])],
    ['copy', zeros('FP32', [3, 50_000])],
    ['copy', zeros('FP32', [2, 1_000_000])],
  ];
  test.each(roundTrips)('carries the data of %s there and back', async (name, x) => {
    const { model } = await openModel(name);
    const outputs = await outputsOf(model, { x }, context());
    expect(outputs['y']?.shape).toEqual(x.shape);
    expect(outputs['y']?.data).toEqual(x.data);
  });

  test('fails only the request that the model refuses', async () => {
    const { model } = await openModel('gather');
    const answers = await Promise.allSettled(
      [1, 2, 99, 4].map((i) => outputsOf(model, { i: int64([1], [i]) }, context())),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(answers[2]).toMatchObject({
      reason: { code: 'MODEL_REFUSED_INPUT', message: expect.stringContaining('idx=99') },
    });
  });

  test('refuses inputs that do not fit before they reach the model', async () => {
    const { model } = await openModel('linear');
    await expect(outputsOf(model, { x: float32([1, 5], [1, 2, 3, 4, 5]) }, context())).rejects.toMatchObject({
      code: 'SIGNATURE_MISMATCH',
    });
  });

  test('refuses a request that could never wait', async () => {
    const { model } = await openModel('linear', { batching: { maxQueueRows: 10 } });
    await expect(outputsOf(model, { x: zeros('FP32', [11, 4]) }, context())).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
    });
  });

  test('does not count the first dimension where requests run singly', async () => {
    const { model, batches } = await openModel('copy', { batching: { enabled: false, maxQueueRows: 10 } });
    await expect(outputsOf(model, { x: zeros('FP32', [11, 4]) }, context())).resolves.toBeDefined();
    expect(batches).toEqual([{ rows: 1, requests: 1 }]);
  });

  test('uses every instance', async () => {
    const { model } = await openModel('linear', { instances: 2, batching: { maxSize: 1 } });
    await Promise.all(Array.from({ length: 50 }, () => outputsOf(model, { x: zeros('FP32', [1, 4]) }, context())));
    for (const runner of model.stats().runners) expect(runner.runs).toBeGreaterThan(0);
  });
});
