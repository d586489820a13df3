import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowCount, windowRanges } from '../../src/texts/windows.ts';

const cuts = fc
  .record({ count: fc.nat(400), room: fc.integer({ min: 1, max: 60 }), side: fc.constantFrom('left', 'right') })
  .chain((cut) => fc.record({ ...constants(cut), stride: fc.nat(cut.room - 1) }));

function constants<Values extends object>(values: Values): { [Key in keyof Values]: fc.Arbitrary<Values[Key]> } {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fc.constant(value)])) as {
    [Key in keyof Values]: fc.Arbitrary<Values[Key]>;
  };
}

describe('windows', () => {
  it('hold every token, share as many as they are to, and are no longer than there is room', () => {
    fc.assert(
      fc.property(cuts, ({ count, room, stride, side }) => {
        const ranges = windowRanges(count, { room, stride, side });
        expect(windowCount(count, { room, stride })).toBe(ranges.length);
        const inOrder = side === 'right' ? ranges : ranges.toReversed();
        expect(inOrder[0]?.start).toBe(0);
        expect(inOrder.at(-1)?.end).toBe(count);
        for (const { start, end } of ranges) expect(end - start).toBeLessThanOrEqual(room);
        for (const [index, { start }] of inOrder.entries()) {
          const before = inOrder[index - 1];
          if (before !== undefined) expect(before.end - start).toBe(stride);
        }
        // All but the last that was cut are full.
        for (const { start, end } of ranges.slice(0, -1)) expect(end - start).toBe(room);
      }),
      { numRuns: 300 },
    );
  });

  it('are one for a text that fits, also for none', () => {
    expect(windowRanges(0, { room: 5, stride: 2, side: 'right' })).toEqual([{ start: 0, end: 0 }]);
    expect(windowRanges(5, { room: 5, stride: 2, side: 'left' })).toEqual([{ start: 0, end: 5 }]);
  });

  it('are cut from the side that is kept', () => {
    expect(windowRanges(7, { room: 4, stride: 1, side: 'right' })).toEqual([
      { start: 0, end: 4 },
      { start: 3, end: 7 },
    ]);
    expect(windowRanges(8, { room: 4, stride: 1, side: 'left' })).toEqual([
      { start: 4, end: 8 },
      { start: 1, end: 5 },
      { start: 0, end: 2 },
    ]);
  });
});
