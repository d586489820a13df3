import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databaseKinds, temporaryStorage } from '../../helpers/database.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { createJobs } from './job-table.ts';

const a = { worker: 'a', leaseMs: 1000, limit: 10 };
const b = { ...a, worker: 'b' };

/** The table in one database for all tests of a kind, empty at the beginning of each. */
function useJobs(kind: 'embedded' | 'postgres') {
  const clock = new VirtualClock();
  let storage: Awaited<ReturnType<typeof temporaryStorage>>;
  let table: Awaited<ReturnType<typeof createJobs>>;
  beforeAll(async () => {
    storage = await temporaryStorage(kind);
    table = await createJobs(storage, clock);
  });
  beforeEach(() => table.clear().then(() => {}));
  afterAll(() => storage[Symbol.asyncDispose]());
  return () => ({ ...table, clock });
}

describe.each(databaseKinds)('leased rows on %s', (kind) => {
  const jobsTable = useJobs(kind);

  it('are claimed when they are due, the highest priority and the longest due first', async () => {
    const table = jobsTable();
    const { db, jobs, clock } = table;
    await table.add(
      { run: 'r', step: 1, dueInMs: -10 },
      { run: 'r', step: 2, priority: 5 },
      { run: 'r', step: 3, dueInMs: -20 },
      { run: 'r', step: 4, priority: 9, dueInMs: 2000 },
    );
    const order: number[] = [];
    for (let round = 0; round < 4; round++)
      order.push(...(await jobs.claim(db, { ...a, limit: 1 })).map(({ step }) => step));
    expect(order).toEqual([2, 3, 1]);
    expect(await jobs.nextDueMs(db)).toBe(2000);
    await clock.advance(2000);
    expect(await jobs.claim(db, a, { returning: ['pool', 'priority'] })).toEqual([
      { run: 'r', step: 4, fence: 1, pool: '', priority: 9 },
    ]);
    expect(await jobs.nextDueMs(db)).toBeUndefined();
  });

  it('are told of when a claim came a moment too early for them', async () => {
    const table = jobsTable();
    const { db, jobs, clock } = table;
    await table.add({ run: 'r', step: 1, dueInMs: 5 });
    expect(await jobs.claim(db, a)).toEqual([]);
    await clock.advance(20);
    expect(await jobs.nextDueMs(db)).toBe(-15);
    await clock.advance(60_000);
    expect(await jobs.nextDueMs(db)).toBeUndefined();
  });

  it('are claimed of the groups that are asked for alone', async () => {
    const table = jobsTable();
    const { db, jobs } = table;
    await table.add({ run: 'r', step: 1, pool: 'gpu' }, { run: 'r', step: 2, pool: 'warehouse' });
    expect(await jobs.claim(db, { ...a, groups: [] })).toEqual([]);
    expect(await jobs.claim(db, { ...a, groups: ['gpu'] })).toMatchObject([{ step: 1 }]);
    expect(await jobs.nextDueMs(db, ['gpu'])).toBeUndefined();
    expect(await jobs.nextDueMs(db, ['gpu', 'warehouse'])).toBe(0);
    expect(await jobs.claim(db, a)).toMatchObject([{ step: 2 }]);
  });

  it('wait again when they are given back, from the time on that is said', async () => {
    const table = jobsTable();
    const { db, jobs, clock } = table;
    await table.add({ run: 'r', step: 1 });
    const [claim] = await jobs.claim(db, a);
    if (claim === undefined) throw new Error('nothing was claimed');
    const back = [{ ...claim, delayMs: 500, note: 'busy' }];
    const own = { values: { note: 'text' }, set: { tries: sql`tries + 1` }, returning: ['tries'] } as const;
    expect(await jobs.giveBack(db, back, own)).toEqual([{ ...claim, tries: 1 }]);
    expect(await table.find('r', 1)).toMatchObject({ state: 'queued', worker: null, note: 'busy' });
    expect(await jobs.claim(db, b)).toEqual([]);
    await clock.advance(500);
    expect(await jobs.claim(db, b)).toEqual([{ ...claim, fence: 2 }]);
    expect(await jobs.giveBack(db, back, own)).toEqual([]);
  });

  it('stay with a worker that renews its claims', async () => {
    const table = jobsTable();
    const { db, jobs, clock } = table;
    await table.add({ run: 'r', step: 1 }, { run: 'r', step: 2 });
    const claims = await jobs.claim(db, a);
    await clock.advance(900);
    expect(await jobs.renew(db, claims.slice(0, 1), 1000)).toEqual(claims.slice(0, 1));
    await clock.advance(900);
    const expired = await jobs.lockExpired(db, { limit: 10 }, ['tries']);
    expect(expired).toEqual([{ ...claims[1], tries: 0 }]);
    await jobs.giveBack(
      db,
      expired.map((claim) => ({ ...claim, delayMs: undefined })),
    );
    expect(await jobs.claim(db, b)).toMatchObject([{ step: 2, fence: 2 }]);
    expect(await jobs.renew(db, claims, 1000)).toEqual(claims.slice(0, 1));
  });

  it('are ended by the latest claim alone, once', async () => {
    const table = jobsTable();
    const { db, jobs, clock } = table;
    await table.add({ run: 'r', step: 1 });
    const [old] = await jobs.claim(db, a);
    await clock.advance(1001);
    const expired = await jobs.lockExpired(db, { limit: 10 });
    await jobs.giveBack(
      db,
      expired.map((claim) => ({ ...claim, delayMs: undefined })),
    );
    const [latest] = await jobs.claim(db, b);
    if (old === undefined || latest === undefined) throw new Error('nothing was claimed');
    const end = (claim: typeof old, note: string) =>
      jobs.end(db, [{ ...claim, state: 'done', note }], { values: { note: 'text' } });
    expect(await end(old, 'old')).toEqual([]);
    expect(await end(latest, 'latest')).toEqual([latest]);
    expect(await end(latest, 'again')).toEqual([]);
    expect(await jobs.remove(db, [latest])).toEqual([]);
    expect(await table.find('r', 1)).toMatchObject({ state: 'done', note: 'latest', worker: null });
  });

  it('end by being deleted, and by whoever revokes them', async () => {
    const table = jobsTable();
    const { db, jobs } = table;
    await table.add({ run: 'r', step: 1 }, { run: 'r', step: 2 }, { run: 'r', step: 3, dueInMs: 5000 });
    const claims = await jobs.claim(db, a);
    expect(
      await jobs.remove(
        db,
        claims.filter(({ step }) => step === 1),
      ),
    ).toHaveLength(1);
    const keys = [2, 3].map((step) => ({ run: 'r', step }));
    expect(await jobs.revoke(db, keys, 'cancelled', { returning: ['note'] })).toHaveLength(2);
    expect(await jobs.revoke(db, keys, 'cancelled')).toEqual([]);
    expect(await jobs.renew(db, claims, 1000)).toEqual([]);
    expect(await table.count()).toEqual({ cancelled: 2 });
  });

  it('are taken from every worker but the one that survives', async () => {
    const table = jobsTable();
    const { db, jobs } = table;
    await table.add({ run: 'r', step: 1 }, { run: 'r', step: 2 });
    await jobs.claim(db, { ...a, limit: 1 });
    await jobs.claim(db, { ...b, limit: 1 });
    expect([await jobs.hasExpired(db), await jobs.hasExpired(db, 'b')]).toEqual([false, true]);
    expect(await jobs.lockExpired(db, { limit: 10, survivor: 'b' })).toMatchObject([{ step: 1 }]);
  });
});

describe.each(databaseKinds.filter((kind) => kind === 'postgres'))('leased rows on %s', (kind) => {
  const jobsTable = useJobs(kind);

  it('are renewed without waiting for who changes them', async () => {
    const table = jobsTable();
    const { db, jobs } = table;
    await table.add({ run: 'r', step: 1 }, { run: 'r', step: 2 });
    const claims = await jobs.claim(db, a);
    await db.transaction().execute(async (transaction) => {
      await jobs.end(
        transaction,
        claims.slice(0, 1).map((claim) => ({ ...claim, state: 'done' })),
      );
      expect(await jobs.renew(db, claims, 1000)).toHaveLength(2);
    });
    expect(await jobs.renew(db, claims, 1000)).toEqual(claims.slice(1));
  });
});
