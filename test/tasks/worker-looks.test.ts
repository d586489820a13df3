import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { workerOnRows } from './worker-on-rows.ts';

describe('a task begins', () => {
  it('when it becomes due between a claim and the question for the next one', async () => {
    const { clock, worker, rows, seen } = workerOnRows({ claimMs: 20 });
    rows.set('first', { dueAtMs: 0 });
    for (const [id, dueAtMs] of [
      ['second', 7],
      ['third', 12],
    ] as const)
      rows.set(id, { dueAtMs });
    worker.wake();
    await clock.advance(100);
    expect(seen.begun).toEqual([
      ['first', 20],
      ['second', 40],
      ['third', 40],
    ]);
  });

  it('when it becomes due while the question is held back, within a second', async () => {
    const { clock, worker, rows, seen } = workerOnRows();
    worker.wake();
    await clock.advance(100);
    rows.set('soon', { dueAtMs: 500 });
    // The question of this claim has to wait, since there was one a moment ago.
    worker.wake();
    await clock.advance(2000);
    expect(seen.begun).toEqual([['soon', 1000]]);
  });

  it('when it becomes due while a question is under way, whose answer does not have it', async () => {
    const { clock, worker, rows, seen } = workerOnRows({ questionMs: 5000 });
    worker.wake();
    await clock.advance(1);
    rows.set('late', { dueAtMs: 4000 });
    worker.hearDelayed();
    await clock.advance(20_000);
    expect(seen.begun).toEqual([['late', 10_000]]);
  });

  it('when its time was not known, since the question failed', async () => {
    const { clock, worker, rows, seen, control } = workerOnRows();
    rows.set('soon', { dueAtMs: 300 });
    control.questionsFail = true;
    worker.wake();
    await clock.advance(2000);
    expect(seen.begun).toEqual([['soon', 1000]]);
  });

  it('when the process that held it has let it go, which is looked for once a second', async () => {
    const { clock, worker, rows, seen } = workerOnRows();
    rows.set('held', { dueAtMs: 0, isHeld: true });
    worker.wake();
    await clock.advance(4500);
    expect([seen.begun, seen.questions]).toEqual([[], 5]);
    rows.set('held', { dueAtMs: 0 });
    await clock.advance(1000);
    expect(seen.begun).toEqual([['held', 5000]]);
    await clock.advance(600_000);
    expect(seen.questions).toBeLessThanOrEqual(7);
  });

  it('when there is room for it because nobody waits for a prediction any more', async () => {
    const { clock, worker, rows, seen, control } = workerOnRows();
    control.lastOnlineMs = 0;
    for (const id of ['a', 'b', 'c', 'd']) rows.set(id, { dueAtMs: 0 });
    worker.wake();
    await clock.advance(50);
    expect(seen.begun).toHaveLength(4);
    rows.set('e', { dueAtMs: 50 });
    worker.wake();
    control.lastOnlineMs = 100;
    await clock.advance(200);
    expect(seen.begun).toHaveLength(4);
    await clock.advance(500);
    expect(seen.begun.slice(4)).toEqual([['e', 520]]);
  });

  it('when another one ends, where all hands were busy, and nothing is asked meanwhile', async () => {
    const { clock, worker, rows, runs, seen } = workerOnRows({ concurrency: 1 });
    for (const id of ['a', 'b']) rows.set(id, { dueAtMs: 0 });
    worker.wake();
    await clock.advance(10_000);
    expect([seen.begun, seen.questions]).toEqual([[['a', 0]], 0]);
    runs.get('a')?.resolve('done');
    await clock.advance(1);
    expect(seen.begun.slice(1)).toEqual([['b', 10_000]]);
  });
});

describe('a task goes on', () => {
  it('when it turns out that an earlier claim of it, by the same worker, is not the latest', async () => {
    const { clock, worker, rows, runs, seen, control } = workerOnRows();
    const renewed = Promise.withResolvers<readonly string[]>();
    rows.set('again', { dueAtMs: 0 });
    worker.wake();
    await clock.advance(9000);
    control.renew = () => renewed.promise;
    await clock.advance(2000);
    // While the renewal is under way, the task fails and is claimed again.
    runs.get('again')?.reject(new AppError('QUEUE_FULL', { message: 'busy' }));
    await clock.advance(2000);
    expect(seen.begun).toEqual([
      ['again', 0],
      ['again', 11_500],
    ]);
    renewed.resolve([]);
    await clock.advance(1);
    expect(seen.aborted).toEqual([]);
  });
});
