import { describe, expect, it } from 'vitest';
import { DueWatch } from '../../../src/storage/leased-rows/due-watch.ts';
import { VirtualClock } from '../../virtual-clock.ts';

function newWatch(answers: (number | undefined | Error)[] = []) {
  const clock = new VirtualClock();
  const dueAt: number[] = [];
  const askedAt: number[] = [];
  const nextDueMs = async () => {
    askedAt.push(clock.now());
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const watch = new DueWatch({ clock, nextDueMs, onDue: () => void dueAt.push(clock.now()), longestMs: 10_000 });
  return { clock, watch, dueAt, askedAt };
}

describe('a watch for due rows', () => {
  it('calls back when the next row is due, once', async () => {
    const { clock, watch, dueAt } = newWatch([2000]);
    watch.ask();
    await clock.advance(60_000);
    expect(dueAt).toEqual([2000]);
  });

  it('calls back for the earliest row that it knows of', async () => {
    const { clock, watch, dueAt } = newWatch();
    watch.expect(5000);
    watch.expect(3000);
    watch.expect(4000);
    await clock.advance(60_000);
    expect(dueAt).toEqual([3000]);
    watch.expect(5000);
    await clock.advance(60_000);
    expect(dueAt).toEqual([3000, 65_000]);
  });

  it('leaves rows that are due late to the next question', async () => {
    const { clock, watch, dueAt } = newWatch([2 ** 40]);
    watch.ask();
    await clock.advance(2 ** 41);
    expect(dueAt).toEqual([]);
  });

  it('asks at most once a second, and not in vain after the last time', async () => {
    const { clock, watch, askedAt } = newWatch();
    for (let round = 0; round < 25; round++) {
      watch.ask();
      await clock.advance(100);
    }
    await clock.advance(60_000);
    expect(askedAt).toEqual([0, 1000, 2000, 3000]);
  });

  it('calls back within a second of a question that failed, since a row may be due, and goes on', async () => {
    const { clock, watch, dueAt } = newWatch([new Error('away'), 500]);
    watch.ask();
    await clock.advance(1000);
    watch.ask();
    await clock.advance(1000);
    expect(dueAt).toEqual([1000, 1500]);
  });

  it('asks again after a question that was under way, and never twice at the same time', async () => {
    const clock = new VirtualClock();
    const questions: PromiseWithResolvers<number | undefined>[] = [];
    const nextDueMs = () => {
      const question = Promise.withResolvers<number | undefined>();
      questions.push(question);
      return question.promise;
    };
    const dueAt: number[] = [];
    const watch = new DueWatch({ clock, nextDueMs, onDue: () => void dueAt.push(clock.now()), longestMs: 10_000 });
    for (let round = 0; round < 3; round++) {
      watch.ask();
      await clock.advance(2000);
    }
    expect(questions).toHaveLength(1);
    questions[0]?.resolve(undefined);
    await clock.advance(0);
    expect(questions).toHaveLength(2);
    questions[1]?.resolve(-50);
    await clock.advance(0);
    expect([questions.length, dueAt]).toEqual([2, [6000]]);
  });

  it('waits on where a timer comes early', async () => {
    const clock = new VirtualClock();
    const setTimer = (delayMs: number, callback: () => void) => clock.setTimer(delayMs > 1 ? delayMs - 1 : 1, callback);
    const early = { now: () => clock.now(), setTimer };
    const dueAt: number[] = [];
    const onDue = () => void dueAt.push(clock.now());
    const watch = new DueWatch({ clock: early, nextDueMs: async () => undefined, onDue, longestMs: 10_000 });
    watch.expect(1000);
    await clock.advance(999);
    expect(dueAt).toEqual([]);
    await clock.advance(1);
    expect(dueAt).toEqual([1000]);
  });

  it('calls back no more once it is closed', async () => {
    const { clock, watch, dueAt, askedAt } = newWatch([500]);
    watch.ask();
    await watch.close();
    watch.expect(10);
    watch.ask();
    await clock.advance(60_000);
    expect([dueAt, askedAt]).toEqual([[], [0]]);
  });
});
