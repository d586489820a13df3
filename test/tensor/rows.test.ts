import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonRows, concatenateRows, sliceRows } from '../../src/tensor/rows.ts';
import { float32, type Tensor, text } from '../../src/tensor/tensor.ts';

test('tensors have common rows when their first dimensions are equal', () => {
  expect(commonRows([float32([2, 1], [1, 2]), text([2], ['a', 'b'])])).toBe(2);
  expect(commonRows([float32([2, 1], [1, 2]), text([1], ['a'])])).toBe(0);
  expect(commonRows([float32([], [1])])).toBe(0);
  expect(commonRows([])).toBe(0);
});

test('slices put together again are the whole, for numbers and texts', () => {
  const shape = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 9 }), fc.boolean(), ([rows, columns], step, asText) => {
      const values = Array.from({ length: rows * columns }, (_, i) => i);
      const whole: Tensor = asText ? text([rows, columns], values.map(String)) : float32([rows, columns], values);
      const slices: Tensor[] = [];
      for (let start = 0; start < rows; start += step)
        slices.push(sliceRows(whole, start, Math.min(rows, start + step)));
      expect(concatenateRows(slices)).toEqual(whole);
    }),
  );
});
