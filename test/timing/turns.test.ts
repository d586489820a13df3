import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { SlicedWork } from '../../src/timing/sliced-work.ts';
import { inTurns, takeTurn } from '../../src/timing/turns.ts';

const largeBytes = 1_000_000;
const smallBytes = 100;

it('lets one large body go on in a turn of the event loop, in the order of arrival, and small ones at once', async () => {
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) takeTurn(largeBytes, () => done.push(name));
  takeTurn(smallBytes, () => done.push('small'));
  expect(done).toEqual(['a', 'small']);
  await nextTurn();
  expect(done).toEqual(['a', 'small', 'b']);
  await nextTurn();
  expect(done).toEqual(['a', 'small', 'b', 'c']);
});

describe('large work', () => {
  function* work(done: string[], name: string, steps: number): SlicedWork<string> {
    for (let step = 0; step < steps; step += 1) {
      const endMs = performance.now() + 2;
      while (performance.now() < endMs);
      yield undefined;
    }
    done.push(name);
    return name;
  }

  it('goes on in slices, between which others are served', async () => {
    const done: string[] = [];
    const results = [inTurns(work(done, 'a', 50)), inTurns(work(done, 'b', 50))];
    await nextTurn();
    done.push('small');
    expect(await Promise.all(results)).toEqual(['a', 'b']);
    expect(done[0]).toBe('small');
  });

  it('is done at once where it is little', () => {
    const little = function* (): SlicedWork<string> {
      yield undefined;
      return 'a';
    };
    expect(inTurns(little())).toBe('a');
  });

  it('throws what it throws, at once or later', async () => {
    const failing = function* (steps: number): SlicedWork<never> {
      for (let step = 0; step < steps; step += 1) {
        const endMs = performance.now() + 10;
        while (performance.now() < endMs);
        yield undefined;
      }
      throw new Error('no');
    };
    expect(() => inTurns(failing(0))).toThrow('no');
    await expect(inTurns(failing(3))).rejects.toThrow('no');
  });
});
