import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparedOutputs, numbersAgree, outputsAgree } from '../../src/serving/traffic/compare-outputs.ts';
import { float32, int64, type Tensor, text } from '../../src/tensor/tensor.ts';

const half = (...bits: readonly number[]): Tensor => ({
  datatype: 'FP16',
  shape: [bits.length],
  data: Uint16Array.from(bits),
});

describe('what two versions are compared by', () => {
  const outputs = { p: float32([1, 2], [0.2, 0.8]), label: int64([1], [1]), name: text([1], ['x']) };

  test('is the target of model.json, else the first output that is no float, else all', () => {
    expect(Object.keys(comparedOutputs(outputs, 'p'))).toEqual(['p']);
    expect(Object.keys(comparedOutputs(outputs, undefined))).toEqual(['label']);
    expect(Object.keys(comparedOutputs(outputs, 'not asked for'))).toEqual(['label']);
    const floats = { p: outputs.p, q: outputs.p };
    expect(Object.keys(comparedOutputs(floats, undefined))).toEqual(['p', 'q']);
  });
});

describe('two versions', () => {
  test.each([
    ['whole numbers', int64([2], [1, 1000]), int64([2], [1, 1000]), true],
    ['whole numbers that are near', int64([1], [1_000_000]), int64([1], [1_000_001]), false],
    ['texts', text([1], ['a']), text([1], ['b']), false],
    ['floats below 1', float32([1], [0.0001]), float32([1], [0.001]), true],
    ['floats beyond 1', float32([1], [5000]), float32([1], [5004]), true],
    ['floats that are too far', float32([1], [5000]), float32([1], [5006]), false],
    ['NaN', float32([1], [Number.NaN]), float32([1], [Number.NaN]), true],
    ['NaN and a number', float32([1], [Number.NaN]), float32([1], [1]), false],
    ['a number and NaN', float32([1], [1]), float32([1], [Number.NaN]), false],
    ['infinities', float32([1], [Infinity]), float32([1], [Infinity]), true],
    ['infinities of unlike signs', float32([1], [Infinity]), float32([1], [-Infinity]), false],
    ['an infinity and a number', float32([1], [Infinity]), float32([1], [1]), false],
    // 1 and the next half, which is 1.00098.
    ['halves', half(0x3c00), half(0x3c01), true],
    ['halves that are too far', half(0x3c00), half(0x3c02), false],
    ['other shapes', float32([1, 2], [1, 2]), float32([2, 1], [1, 2]), false],
    ['other types', int64([1], [1]), float32([1], [1]), false],
  ] as const)('with %s agree as they should', (_, a, b, agree) => {
    expect(outputsAgree({ y: a }, { y: b }, 0.001)).toBe(agree);
  });

  test('agree where all outputs do, and not where one is missing', () => {
    const y = float32([1], [1]);
    expect(outputsAgree({ y, z: y }, { y, z: y }, 0)).toBe(true);
    expect(outputsAgree({ y, z: y }, { y }, 0)).toBe(false);
  });

  test('always agree with themselves, and by the tolerance and no more', () => {
    fc.assert(
      fc.property(fc.double(), fc.double({ min: 0, max: 1, noNaN: true }), (value, tolerance) => {
        expect(numbersAgree(value, value, tolerance)).toBe(true);
        if (!Number.isFinite(value)) return;
        const bound = tolerance * Math.max(1, Math.abs(value));
        expect(numbersAgree(value, value + 2 * bound + Math.max(1, Math.abs(value)) * 1e-9, tolerance)).toBe(false);
      }),
    );
  });
});
