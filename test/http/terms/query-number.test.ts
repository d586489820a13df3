import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { queryNumber } from '../../../src/http/terms/query-number.ts';

const query = z.object({ count: queryNumber(z.number().int().min(0).max(20)).default(8) });

describe('a number in a query', () => {
  it.each([
    [{}, 8],
    [{ count: '0' }, 0],
    [{ count: '+7' }, 7],
    [{ count: '1e1' }, 10],
    [{ count: '20.0' }, 20],
  ])('of %j is %i', (given, count) => {
    expect(query.parse(given)).toEqual({ count });
  });

  it.each(['', ' ', ' 3', '0x10', '1.5', '21', '-1', 'NaN', 'Infinity', '1_0', 'true', ['1', '2'], []])(
    'is not %j',
    (count) => {
      expect(query.safeParse({ count }).success).toBe(false);
    },
  );
});
