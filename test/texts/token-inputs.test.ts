import { describe, expect, it } from 'vitest';
import type { DataType } from '../../src/tensor/data-type.ts';
import type { Signature } from '../../src/tensor/tensor.ts';
import { fixedLength, tokenInputFaults, tokenInputs } from '../../src/texts/token-inputs.ts';

const signature = (...inputs: [name: string, datatype: DataType, shape?: number[]][]): Signature => ({
  inputs: inputs.map(([name, datatype, shape = [-1, -1]]) => ({ name, datatype, shape })),
  outputs: [],
});
const all = signature(
  ['input_ids', 'INT64'],
  ['attention_mask', 'INT32'],
  ['token_type_ids', 'INT64'],
  ['position_ids', 'INT64'],
);
const rows = [
  { ids: Int32Array.of(5, 6, 7), typeIds: Int32Array.of(0, 1, 1) },
  { ids: Int32Array.of(8), typeIds: undefined },
];

function numbers(tensors: ReturnType<typeof tokenInputs>): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data }]) => [name, Array.from(data as ArrayLike<number | bigint>, Number)]),
  );
}

describe('tokens as inputs of a model', () => {
  it('are padded on the right', () => {
    const tensors = tokenInputs(all, rows, 4, { padId: 9, paddingSide: 'right' });
    expect(numbers(tensors)).toEqual({
      input_ids: [5, 6, 7, 9, 8, 9, 9, 9],
      attention_mask: [1, 1, 1, 0, 1, 0, 0, 0],
      token_type_ids: [0, 1, 1, 0, 0, 0, 0, 0],
      position_ids: [0, 1, 2, 0, 0, 0, 0, 0],
    });
    expect(tensors['input_ids']).toMatchObject({ datatype: 'INT64', shape: [2, 4] });
    expect(tensors['attention_mask']).toMatchObject({ datatype: 'INT32', shape: [2, 4] });
  });

  it('are padded on the left', () => {
    expect(numbers(tokenInputs(all, rows, 4, { padId: 9, paddingSide: 'left' }))).toEqual({
      input_ids: [9, 5, 6, 7, 9, 9, 9, 8],
      attention_mask: [0, 1, 1, 1, 0, 0, 0, 1],
      token_type_ids: [0, 0, 1, 1, 0, 0, 0, 0],
      position_ids: [0, 0, 1, 2, 0, 0, 0, 0],
    });
  });

  it('are those that the model has', () => {
    const one = signature(['input_ids', 'INT32']);
    expect(numbers(tokenInputs(one, rows, 3, { padId: 0, paddingSide: 'right' }))).toEqual({
      input_ids: [5, 6, 7, 8, 0, 0],
    });
  });
});

describe('a model that does not take tokens', () => {
  it('is told every input that is at fault', () => {
    expect(tokenInputFaults(all)).toEqual([]);
    expect(
      tokenInputFaults(
        signature(['pixel_values', 'FP32'], ['attention_mask', 'FP32'], ['token_type_ids', 'INT64', [-1]]),
      ),
    ).toEqual([
      'the model needs the input pixel_values, which texts do not have',
      'the input attention_mask is FP32, expected INT64 or INT32',
      'the input token_type_ids has the shape [-1], expected [texts, tokens]',
      'the model has no input input_ids',
    ]);
  });
});

describe('the length of rows', () => {
  it('is fixed where the model says so', () => {
    expect(fixedLength(signature(['input_ids', 'INT64', [-1, 128]]))).toBe(128);
    expect(fixedLength(all)).toBeUndefined();
  });
});
