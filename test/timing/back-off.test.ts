import { expect, it } from 'vitest';
import { backOff } from '../../src/timing/back-off.ts';

it('a wait doubles with every failure in a row, up to the longest', () => {
  const bounds = { first: 250, longest: 3000 };
  expect([1, 2, 3, 4, 5, 6, 5000].map((failures) => backOff(bounds, failures))).toEqual([
    250, 500, 1000, 2000, 3000, 3000, 3000,
  ]);
});
