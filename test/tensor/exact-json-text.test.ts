import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExactJson } from '../../src/tensor/json/exact-json.ts';
import { exactJsonText } from '../../src/tensor/json/exact-json-text.ts';

describe('exactJsonText', () => {
  it('writes what readExactJson reads the same again', () => {
    const big = fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }).map((value) => (value % 2n === 0n ? value : -value));
    const number = fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value));
    const leaf = fc.oneof(number, big, fc.string(), fc.constant(-0));
    const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf));
    fc.assert(
      fc.property(value, (given) => {
        expect(readExactJson(exactJsonText(given))).toEqual(given);
      }),
    );
  });

  it('writes null where there is nothing', () => {
    expect(exactJsonText(undefined)).toBe('null');
  });
});
