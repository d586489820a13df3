import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensorToNested } from '../../../src/tensor/json/json-output.ts';
import { objectText, tensorText } from '../../../src/tensor/sliced-json/write-sliced-json.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import { finish } from '../../../src/timing/sliced-work.ts';

const numbers = (shape: readonly number[]): Tensor => {
  const count = shape.reduce((product, size) => product * size, 1);
  return { datatype: 'FP32', shape, data: Float32Array.from({ length: count }, (_, index) => (index % 97) / 8 - 3) };
};

it('writes a tensor of any shape as JSON.stringify writes its nested lists', () => {
  const size = fc.integer({ min: 0, max: 40 });
  const shapes = fc.oneof(
    fc.array(size, { maxLength: 3 }),
    fc.constantFrom([20_000], [3, 20_000], [40_000, 1], [1, 2, 30_000], [100_000, 0], [2, 3, 5, 2_000]),
  );
  fc.assert(
    fc.property(shapes, (shape) => {
      const tensor = numbers(shape);
      expect(finish(tensorText(tensor)).join('')).toBe(JSON.stringify(tensorToNested(tensor)));
    }),
    { numRuns: 60 },
  );
});

it('writes texts, whole numbers with every digit, and numbers that are not finite as they are written at once', () => {
  const count = 50_000;
  const tensors: Tensor[] = [
    { datatype: 'BYTES', shape: [count], data: Array.from({ length: count }, (_, index) => `"${index}\n`) },
    { datatype: 'INT64', shape: [count, 1], data: new BigInt64Array(count).fill(2n ** 60n + 1n) },
    { datatype: 'FP64', shape: [2, count / 2], data: new Float64Array(count).fill(Number.NaN).fill(-0, 7) },
    { datatype: 'BOOL', shape: [count], data: new Uint8Array(count).fill(1, 5) },
  ];
  for (const tensor of tensors) {
    expect(finish(tensorText(tensor)).join('')).toBe(JSON.stringify(tensorToNested(tensor)));
  }
});

it('writes objects', () => {
  const members = [
    ['a', tensorText(numbers([2]))],
    ['"', tensorText(numbers([20_000]))],
  ] as const;
  const written = JSON.parse(finish(objectText(members)).join(''));
  expect(Object.keys(written)).toEqual(['a', '"']);
  expect(finish(objectText([])).join('')).toBe('{}');
});
