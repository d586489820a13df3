import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/tensor/classification.ts';
import { float32, int64, type Tensor, text, uint8 } from '../../src/tensor/tensor.ts';
import { refusal } from './malformed.ts';

describe('classify', () => {
  it('gives value and index, greatest first, with six decimals for floats', () => {
    const output = float32([3], [0.1, 3.3, -2]);
    expect(classify(output, 'y', { top: 2, batched: false })).toEqual(text([2], ['3.300000:1', '0.100000:0']));
  });

  it('ranks each row of a batch, and adds the labels that there are', () => {
    const output = float32([2, 3], [1, 2, 3, 6, 5, 4]);
    expect(classify(output, 'y', { top: 2, batched: true, labels: ['cat', 'dog'] })).toEqual(
      text([2, 2], ['3.000000:2', '2.000000:1:dog', '6.000000:0:cat', '5.000000:1:dog']),
    );
  });

  it('gives all classes when fewer than asked for', () => {
    expect(classify(uint8([2], Uint8Array.of(7, 9)), 'y', { top: 5, batched: false })).toEqual(
      text([2], ['9:1', '7:0']),
    );
    expect(classify(float32([0, 3], []), 'y', { top: 2, batched: true })).toEqual(text([0, 2], []));
    expect(classify(float32([2, 0], []), 'y', { top: 2, batched: true })).toEqual(text([2, 0], []));
  });

  it('keeps equal values in order, and puts NaN last', () => {
    const output = float32([6], [Number.NaN, 1, Infinity, 1, -Infinity, 1]);
    const { data } = classify(output, 'y', { top: 6, batched: false });
    expect(data).toEqual(['inf:2', '1.000000:1', '1.000000:3', '1.000000:5', '-inf:4', 'nan:0']);
    expect(classify(output, 'y', { top: 3, batched: false }).data).toEqual(data.slice(0, 3));
    expect(classify(float32([2], [Number.NaN, Number.NaN]), 'y', { top: 1, batched: false }).data).toEqual(['nan:0']);
  });

  it('prints large values in full', () => {
    expect(classify(float32([1], [2 ** 80]), 'y', { top: 1, batched: false }).data).toEqual([`${2n ** 80n}.000000:0`]);
    expect(classify(int64([1], [-(2n ** 63n)]), 'y', { top: 1, batched: false }).data).toEqual([
      '-9223372036854775808:0',
    ]);
  });

  it('agrees with a plain sort', () => {
    const value = fc.oneof(fc.float(), fc.constantFrom(0, 1, 2));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 25 }), (values, top) => {
        const rank = (index: number) => (Number.isNaN(values[index]) ? -Infinity : Number(values[index]));
        const nanLast = (index: number) => (Number.isNaN(values[index]) ? 1 : 0);
        const order = values.map((_, index) => index);
        order.sort((a, b) => nanLast(a) - nanLast(b) || Number(rank(b) > rank(a)) - Number(rank(b) < rank(a)) || a - b);
        const { data } = classify(float32([values.length], values), 'y', { top, batched: false });
        expect([...data].map((element) => Number(String(element).split(':')[1]))).toEqual(order.slice(0, top));
      }),
    );
  });

  const half: Tensor = { datatype: 'FP16', shape: [1], data: Uint16Array.of(0) };
  it.each([
    [float32([1], [1]), 0, 'Output "y": classification is 0, not a whole number from 1'],
    [float32([1], [1]), 1.5, 'Output "y": classification is 1.5, not a whole number from 1'],
    [half, 1, 'Output "y": classification needs numbers, the output is FP16'],
    [text([1], ['a']), 1, 'Output "y": classification needs numbers, the output is BYTES'],
    [float32([1_000_001], new Float32Array(1_000_001)), 1, 'classification takes at most 1000000 elements'],
  ])('refuses case %#', (tensor, top, reason) => {
    const error = refusal(() => classify(tensor, 'y', { top, batched: false }));
    expect(error.code).toBe('MALFORMED_TENSOR');
    expect(error.message).toContain(reason);
  });
});
