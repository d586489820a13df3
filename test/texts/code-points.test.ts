import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codePointCount, codePointSlicer } from '../../src/texts/code-points.ts';

it('cuts texts by code points, whatever they are written in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(20), fc.nat(20), (text, start, length) => {
      const characters = [...text];
      expect(codePointCount(text)).toBe(characters.length);
      expect(codePointSlicer(text)(start, start + length)).toBe(characters.slice(start, start + length).join(''));
    }),
  );
  expect(codePointSlicer('🙂 \ud800 é')(2, 3)).toBe('\ud800');
});
