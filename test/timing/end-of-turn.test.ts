import { expect, test } from 'vitest';
import { EndOfTurn } from '../../src/timing/end-of-turn.ts';

test('all who ask in one turn go on together, after what the turn still does', async () => {
  const turn = new EndOfTurn();
  const seen: string[] = [];
  const waiting = ['a', 'b'].map((name) => turn.wait().then(() => seen.push(name)));
  await Promise.resolve();
  seen.push('turn');
  await Promise.all(waiting);
  expect(seen).toEqual(['turn', 'a', 'b']);
});

test('who asks later waits for the end of another turn', async () => {
  const turn = new EndOfTurn();
  const first = turn.wait();
  await first;
  expect(turn.wait()).not.toBe(first);
});
