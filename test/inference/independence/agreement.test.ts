import { describe, expect, test } from 'vitest';
import { allEqual, disagreement } from '../../../src/inference/independence/agreement.ts';
import { float32, int64, type Tensor, text } from '../../../src/tensor/tensor.ts';

const half = (shape: number[], values: number[]): Tensor => ({
  datatype: 'FP16',
  shape,
  data: new Uint16Array(Float16Array.from(values).buffer),
});

const compare = (alone: readonly Tensor[], joined: Tensor, order = alone.map((_, index) => index)) =>
  disagreement(
    ['y'],
    alone.map((tensor) => [tensor]),
    [joined],
    order,
  );

describe('rows of a shared run agree with rows alone', () => {
  test('when every value is equal', () => {
    expect(
      compare([int64([1, 2], [1, 2]), int64([1, 2], [3, 4])], int64([2, 2], [3, 4, 1, 2]), [1, 0]),
    ).toBeUndefined();
    expect(compare([text([1], ['a'])], text([2], ['a', 'a']), [0, 0])).toBeUndefined();
  });

  test('when floats differ by rounding', () => {
    expect(compare([float32([1, 2], [100, 1e-4])], float32([1, 2], [100.001, 5e-4]))).toBeUndefined();
    expect(compare([half([1, 1], [1])], half([1, 1], [1.001]))).toBeUndefined();
  });

  test('when both are no number, or the same infinity', () => {
    expect(compare([float32([1, 2], [Number.NaN, -1 / 0])], float32([1, 2], [Number.NaN, -1 / 0]))).toBeUndefined();
  });
});

describe('rows of a shared run disagree with rows alone', () => {
  test.each<[string, Tensor, Tensor, RegExp]>([
    ['another whole number', int64([1, 1], [1]), int64([1, 1], [2]), /"y" is 1 alone and 2 beside others/],
    ['another text', text([1], ['a']), text([1], ['b']), /"a" alone and "b" beside/],
    ['another float', float32([1, 1], [1]), float32([1, 1], [1.001]), /is 1 alone/],
    ['a NaN on one side', float32([1, 1], [1]), float32([1, 1], [Number.NaN]), /NaN beside/],
    ['an infinity on one side', float32([1, 1], [1 / 0]), float32([1, 1], [1]), /Infinity alone/],
    ['a longer row', float32([1, 2], [1, 2]), float32([1, 3], [1, 2, 0]), /shape \[1,2\] for a row alone and \[1,3\]/],
    ['more rows', float32([1, 1], [1]), float32([2, 1], [1, 1]), /shape \[2,1\] for 1 rows/],
    ['two rows for one', float32([2, 1], [1, 1]), float32([1, 1], [1]), /shape \[2,1\] for a row alone/],
  ])('%s', (_, alone, joined, clause) => {
    expect(compare([alone], joined)).toMatch(clause);
  });

  test('small values beside large ones are no rounding', () => {
    expect(compare([float32([1, 2], [640, 0.5])], float32([1, 2], [640, 0.51]))).toMatch(/is 0.5 alone/);
  });
});

test('tells whether outputs tell rows apart', () => {
  expect(allEqual([[int64([1], [1])], [int64([1], [1])]])).toBe(true);
  expect(
    allEqual([
      [int64([1], [1]), float32([1], [1])],
      [int64([1], [1]), float32([1], [2])],
    ]),
  ).toBe(false);
});
