import { describe, expect, test } from 'vitest';
import { float32 } from '../../src/tensor/tensor.ts';
import { context, openModel, outputsOf } from './models.ts';

describe('a request without rows', () => {
  test('to a model of independent rows is answered without a run', async () => {
    const { model, batches } = await openModel('linear');
    const answer = await outputsOf(model, { x: float32([0, 4], []) }, context());
    expect(answer).toEqual({
      label: { datatype: 'INT64', shape: [0], data: new BigInt64Array() },
      scores: { datatype: 'FP32', shape: [0, 3], data: new Float32Array() },
    });
    expect(await outputsOf(model, { x: float32([0, 4], []) }, context({ outputs: ['scores'] }))).toEqual({
      scores: { datatype: 'FP32', shape: [0, 3], data: new Float32Array() },
    });
    expect(batches).toEqual([]);
  });

  test('must fit the signature all the same', async () => {
    const { model } = await openModel('linear');
    const wrong = outputsOf(model, { x: float32([0, 5], []) }, context());
    await expect(wrong).rejects.toMatchObject({ code: 'SIGNATURE_MISMATCH' });
  });

  test('runs where only a run can tell the other dimensions', async () => {
    const { model, batches } = await openModel('two_inputs');
    const inputs = { a: float32([0, 5], []), b: float32([0, 5], []) };
    expect(await outputsOf(model, inputs, context())).toMatchObject({
      sum: { shape: [0, 5] },
      difference: { shape: [0, 5] },
    });
    expect(batches).toHaveLength(1);
  });

  test('runs where rows may depend on each other', async () => {
    const { model, batches } = await openModel('linear', { batching: { enabled: false } });
    expect(await outputsOf(model, { x: float32([0, 4], []) }, context())).toMatchObject({ scores: { shape: [0, 3] } });
    expect(batches).toHaveLength(1);
  });
});
