import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/names/nearest-name.ts';

describe('the nearest name', () => {
  it.each([
    ['modle', 'model'],
    ['whne', 'when'],
    ['Model', 'model'],
    ['mode', 'model'],
    ['switchh', 'switch'],
  ])('to %s is %s', (mistyped, meant) => {
    expect(nearestName(mistyped, ['name', 'model', 'switch', 'when'])).toBe(meant);
  });

  it.each(['colour', 'x', ''])('to %j is none', (mistyped) => {
    expect(nearestName(mistyped, ['name', 'model', 'switch', 'when'])).toBeUndefined();
  });
});
