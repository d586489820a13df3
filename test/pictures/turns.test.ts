import { expect, it } from 'vitest';
import { Turns } from '../../src/pictures/turns.ts';

/** Jobs that end when the test says so; `begun` has those that are under way, in the order of their beginning. */
function jobs(turns: Turns) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string, owner: object, signal?: AbortSignal) =>
    turns.take({ owner, ...(signal !== undefined && { signal }) }, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(setImmediate);
  };
  return { begun, take, end };
}

it('are taken by owners in turn, whatever they have waiting', async () => {
  const { begun, take, end } = jobs(new Turns(1));
  const [many, few] = [{}, {}];
  for (const name of ['a1', 'a2', 'a3']) void take(name, many);
  void take('b1', few);
  for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
});

it('are given up with the reason of the signal, waiting or not', async () => {
  const { begun, take, end } = jobs(new Turns(1));
  const gone = new AbortController();
  const first = take('a1', gone);
  const waiting = take('a2', gone, gone.signal);
  const other = take('b1', {});
  gone.abort(new Error('nobody waits'));
  await expect(waiting).rejects.toThrow('nobody waits');
  await expect(take('a3', gone, gone.signal)).rejects.toThrow('nobody waits');
  await end('a1');
  await first;
  await end('b1');
  await other;
  expect(begun).toEqual(['a1', 'b1']);
});

it('go on after a job that fails', async () => {
  const turns = new Turns(1);
  const failing = turns.take({ owner: {} }, () => Promise.reject(new Error('it failed')));
  const next = turns.take({ owner: {} }, async () => 'done');
  await expect(failing).rejects.toThrow('it failed');
  expect(await next).toBe('done');
});
