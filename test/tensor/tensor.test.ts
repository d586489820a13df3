import { describe, expect, it } from 'vitest';
import { elementBytes, isDataType } from '../../src/tensor/data-type.ts';
import { elementCount, tensorBytes, tensorOver, text, zeros } from '../../src/tensor/tensor.ts';
import { dataTypes } from './arbitrary-tensor.ts';

describe.each(dataTypes)('%s', (datatype) => {
  it('has tensors of zeros with the elements and bytes of the shape', () => {
    for (const shape of [[], [3], [2, 0], [2, 3]]) {
      const tensor = zeros(datatype, shape);
      expect(tensor).toMatchObject({ datatype, shape });
      expect(tensor.data).toHaveLength(elementCount(shape));
      expect(tensorBytes(tensor)).toBe(elementCount(shape) * (elementBytes(datatype) ?? 0));
    }
  });
});

describe('tensorOver', () => {
  it('is a view of the bytes, from where they start', () => {
    const bytes = Uint8Array.of(9, 9, 1, 0, 2, 0);
    const tensor = tensorOver('UINT16', [2], bytes.subarray(2));
    expect(tensor.data).toEqual(Uint16Array.of(1, 2));
    bytes[2] = 7;
    expect(tensor.data[0]).toBe(7);
  });

  it('refuses bytes that do not start at an element, or have another length', () => {
    expect(() => tensorOver('UINT16', [1], new Uint8Array(new ArrayBuffer(3), 1))).toThrow(RangeError);
    expect(() => tensorOver('FP32', [1], new Uint8Array(6))).toThrow(RangeError);
  });
});

describe('text', () => {
  it('counts its bytes as UTF-16', () => {
    expect(tensorBytes(text([2], ['é', 'ab']))).toBe(6);
  });
});

it('knows data types by their exact name', () => {
  expect(isDataType('FP32')).toBe(true);
  for (const name of ['fp32', 'BF16', 'toString', '']) expect(isDataType(name)).toBe(false);
});
