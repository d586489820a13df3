import { describe, expect, it } from 'vitest';
import { RepeatingJob } from '../../src/timing/repeating-job.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** A job every second, each run of which takes as long, and tells when it began. */
function newJob(runMs: number, trouble?: Error) {
  const clock = new VirtualClock();
  const begun: number[] = [];
  const errors: unknown[] = [];
  let atOnce = 0;
  const work = async () => {
    begun.push(clock.now());
    atOnce += 1;
    expect(atOnce).toBe(1);
    await new Promise<void>((resolve) => void clock.setTimer(runMs, resolve));
    atOnce -= 1;
    if (trouble !== undefined) throw trouble;
  };
  const job = new RepeatingJob(work, { intervalMs: 1000, clock, onError: (thrown) => void errors.push(thrown) });
  return { clock, begun, errors, job };
}

describe('a repeating job', () => {
  it('runs an interval after the end of the last run', async () => {
    const { clock, begun } = newJob(300);
    await clock.advance(4000);
    expect(begun).toEqual([1000, 2300, 3600]);
  });

  it('runs at once when it is asked, and an interval after that again', async () => {
    const { clock, begun, job } = newJob(300);
    await clock.advance(400);
    job.runSoon();
    job.runSoon();
    await clock.advance(2000);
    expect(begun).toEqual([400, 1700]);
  });

  it('runs once more when it is asked while it runs', async () => {
    const { clock, begun, job } = newJob(300);
    await clock.advance(1100);
    job.runSoon();
    job.runSoon();
    await clock.advance(1400);
    expect(begun).toEqual([1000, 1300]);
  });

  it('may ask for itself', async () => {
    const clock = new VirtualClock();
    let runs = 0;
    const work = () => {
      runs += 1;
      if (runs < 3) job.runSoon();
      return Promise.resolve();
    };
    const job = new RepeatingJob(work, { intervalMs: 1000, clock, onError: () => {} });
    job.runSoon();
    await clock.advance(1);
    expect(runs).toBe(3);
  });

  it('tells of what goes wrong, and goes on', async () => {
    const trouble = new Error('trouble');
    const { clock, begun, errors } = newJob(0, trouble);
    await clock.advance(2000);
    expect(begun).toEqual([1000, 2000]);
    expect(errors).toEqual([trouble, trouble]);
  });

  it('is closed when the run under way has ended, and never runs again', async () => {
    const { clock, begun, job } = newJob(300);
    await clock.advance(1100);
    job.runSoon();
    let isClosed = false;
    const closing = job.close().then(() => {
      isClosed = true;
    });
    await clock.advance(199);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closing;
    job.runSoon();
    await clock.advance(5000);
    expect(begun).toEqual([1000]);
  });
});
