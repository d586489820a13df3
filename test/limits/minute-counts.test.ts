import { expect, it } from 'vitest';
import { MinuteCounts } from '../../src/limits/minute-counts.ts';

function counts(options: { most?: number } = {}) {
  const state = { nowMs: 0 };
  const store = new MinuteCounts({ nowMs: () => state.nowMs, ...options });
  const count = (caller: string) => {
    let current = 0;
    store.incr(caller, (_error, counted) => (current = counted?.current ?? 0), 60_000);
    return current;
  };
  return { state, store, count };
}

it('a caller is not forgotten within its minute, however many others ask', () => {
  const { state, store, count } = counts();
  expect(count('one')).toBe(1);
  state.nowMs = 59_999;
  for (let other = 0; other < 20_000; other += 1) count(`other ${other}`);
  expect(count('one')).toBe(2);
  state.nowMs = 60_000;
  expect(count('one')).toBe(1);
  expect(store.size).toBe(20_001);
  state.nowMs = 120_000;
  count('another');
  expect(store.size).toBe(1);
});

it('of too many callers those are forgotten whose minute ends first', () => {
  const { store, count } = counts({ most: 3 });
  for (const caller of ['a', 'b', 'c', 'd']) count(caller);
  expect(store.size).toBe(3);
  expect(count('d')).toBe(2);
  expect(count('a')).toBe(1);
});
