import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { databaseKinds, temporaryStorage } from '../../helpers/database.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { createJobs, type JobClaim } from './job-table.ts';

const workers = ['a', 'b', 'c'];
const rowCount = 5;
const leaseMs = 1000;

interface Step {
  readonly worker: string;
  readonly action: 'claim' | 'renew' | 'reclaim' | 'give back' | 'end' | 'end with an old claim' | 'pause';
  readonly size: number;
}

const steps = fc.array(
  fc.record({
    worker: fc.constantFrom(...workers),
    action: fc.constantFrom<Step['action']>(
      'claim',
      'claim',
      'renew',
      'reclaim',
      'give back',
      'end',
      'end with an old claim',
      'pause',
    ),
    size: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 40 },
);
const jobsToAdd = fc.array(
  fc.record({ priority: fc.integer({ min: 0, max: 2 }), dueInMs: fc.integer({ min: 0, max: 2000 }) }),
  {
    minLength: rowCount,
    maxLength: rowCount,
  },
);

type Table = Awaited<ReturnType<typeof createJobs>>;

/** Does the steps, and keeps what every worker believes to have: it hears of a loss only by what it does next. */
class Workers {
  readonly ends = new Map<number, number>();
  readonly #table: Table;
  readonly #clock: VirtualClock;
  readonly #held = new Map<string, JobClaim[]>(workers.map((worker) => [worker, []]));
  readonly #past: JobClaim[] = [];
  readonly #seen = new Set<string>();
  /** The highest number that anybody has been given for a row. */
  readonly #newest = new Map<number, number>();

  constructor(table: Table, clock: VirtualClock) {
    this.#table = table;
    this.#clock = clock;
  }

  async do({ worker, action, size }: Step): Promise<void> {
    const { db, jobs } = this.#table;
    const held = this.#held.get(worker) ?? [];
    const some = held.slice(0, size);
    switch (action) {
      case 'claim':
        for (const claim of await jobs.claim(db, { worker, leaseMs, limit: size })) this.#take(worker, claim);
        return;
      case 'renew': {
        const kept = new Set((await jobs.renew(db, some, leaseMs)).map(nameOf));
        this.#drop(
          worker,
          some.filter((claim) => !kept.has(nameOf(claim))),
        );
        return;
      }
      case 'reclaim':
        await db.transaction().execute(async (transaction) => {
          const expired = await jobs.lockExpired(transaction, { limit: size });
          const back = await jobs.giveBack(
            transaction,
            expired.map((claim) => ({ ...claim, delayMs: undefined })),
          );
          expect(back).toHaveLength(expired.length);
        });
        return;
      case 'give back':
        this.#drop(worker, some);
        await jobs.giveBack(
          db,
          some.map((claim) => ({ ...claim, delayMs: size * 200 })),
        );
        return;
      case 'end':
        this.#drop(worker, some);
        await this.#end(some);
        return;
      case 'end with an old claim': {
        const old = this.#past.filter(({ step, fence }) => fence < (this.#newest.get(step) ?? 0));
        await this.#end(old.slice(-size), { mayEnd: false });
        return;
      }
      case 'pause':
        this.#clock.stall(size * 400);
    }
  }

  async #end(claims: readonly JobClaim[], { mayEnd } = { mayEnd: true }): Promise<void> {
    const { db, jobs } = this.#table;
    const ended = await jobs.end(
      db,
      claims.map((claim) => ({ ...claim, state: 'done' })),
    );
    if (!mayEnd) expect(ended).toEqual([]);
    for (const { step } of ended) this.ends.set(step, (this.ends.get(step) ?? 0) + 1);
  }

  #take(worker: string, claim: JobClaim): void {
    expect(this.#seen, 'each number of a row is given to one worker').not.toContain(nameOf(claim));
    expect(this.ends.get(claim.step), 'what is ended is not claimed').toBeUndefined();
    this.#seen.add(nameOf(claim));
    this.#newest.set(claim.step, Math.max(claim.fence, this.#newest.get(claim.step) ?? 0));
    this.#past.push(claim);
    this.#held.get(worker)?.push(claim);
  }

  #drop(worker: string, claims: readonly JobClaim[]): void {
    const gone = new Set(claims);
    this.#held.set(
      worker,
      (this.#held.get(worker) ?? []).filter((claim) => !gone.has(claim)),
    );
  }
}

const nameOf = ({ step, fence }: JobClaim) => `${step}/${fence}`;

/** Ends everything that is left, by a worker that nobody disturbs. */
async function finish(clock: VirtualClock, done: Workers): Promise<void> {
  for (let round = 0; round < rowCount; round++) {
    clock.stall(2 * leaseMs);
    await done.do({ worker: 'a', action: 'reclaim', size: rowCount });
    await done.do({ worker: 'a', action: 'claim', size: rowCount });
    await done.do({ worker: 'a', action: 'end', size: 100 });
  }
}

describe.each(databaseKinds)('leased rows on %s, whatever workers do', (kind) => {
  it.each([
    ['one after the other', 1],
    ['at the same time', 6],
  ])('are ended exactly once, and never lost: %s', { timeout: 300_000 }, async (_, together) => {
    await using storage = await temporaryStorage(kind);
    const clock = new VirtualClock();
    const table = await createJobs(storage, clock);
    const property = fc.asyncProperty(jobsToAdd, steps, async (added, todo) => {
      await table.clear();
      await table.add(...added.map((job, step) => ({ run: 'r', step, priority: job.priority, dueInMs: job.dueInMs })));
      const done = new Workers(table, clock);
      for (let index = 0; index < todo.length; index += together)
        await Promise.all(todo.slice(index, index + together).map((step) => done.do(step)));
      await finish(clock, done);
      expect([...done.ends.values()]).toEqual(Array.from({ length: rowCount }, () => 1));
      expect(await table.count()).toEqual({ done: rowCount });
    });
    await fc.assert(property, { numRuns: kind === 'postgres' ? 60 : 40 });
  });
});
