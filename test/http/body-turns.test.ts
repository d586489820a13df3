import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { takeBodyTurn } from '../../src/http/body-turns.ts';

const largeBytes = 1_000_000;
const smallBytes = 100;

it('lets one large body go on in a turn of the event loop, in the order of arrival, and small ones at once', async () => {
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) takeBodyTurn(largeBytes, () => done.push(name));
  takeBodyTurn(smallBytes, () => done.push('small'));
  expect(done).toEqual(['a', 'small']);
  await nextTurn();
  expect(done).toEqual(['a', 'small', 'b']);
  await nextTurn();
  expect(done).toEqual(['a', 'small', 'b', 'c']);
});
