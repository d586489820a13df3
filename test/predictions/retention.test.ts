import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { dayOf, dayOfPartition, partitionName, startOf } from '../../src/predictions/day.ts';
import { createPartitions, dropPartitions, listPartitions } from '../../src/predictions/partitions.ts';
import { chooseDropped, Retention } from '../../src/predictions/retention.ts';
import { insertPredictions } from '../../src/predictions/store.ts';
import { newTimeOrderedId } from '../../src/storage/time-ordered-id.ts';
import { databaseKinds, openStorage, temporaryDatabase, temporaryStorage } from '../helpers/database.ts';
import { VirtualClock } from '../virtual-clock.ts';

const partition = fc.record({ day: fc.integer({ min: 0, max: 60 }), bytes: fc.nat(100) });

describe('which days are dropped', () => {
  const arbitrary = fc.record({
    partitions: fc.uniqueArray(partition, { selector: ({ day }) => day }),
    today: fc.integer({ min: 0, max: 60 }),
    keepDays: fc.integer({ min: 1, max: 40 }),
    maxBytes: fc.nat(2000),
  });

  it('are too old or too much, the oldest first, and never today or later', () => {
    fc.assert(
      fc.property(arbitrary, ({ partitions, today, ...bounds }) => {
        const { drop, isSpent } = chooseDropped(partitions, today, bounds);
        const kept = partitions.filter(({ day }) => !drop.includes(day));
        const bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
        const past = kept.filter(({ day }) => day < today);
        expect(drop.every((day) => day < today)).toBe(true);
        expect(past.every(({ day }) => day > today - bounds.keepDays)).toBe(true);
        expect(past.every(({ day }) => drop.every((dropped) => dropped < day))).toBe(true);
        expect(bytes <= bounds.maxBytes || past.length === 0).toBe(true);
        expect(isSpent).toBe(bytes > bounds.maxBytes);
      }),
    );
  });

  it('are no more than needed', () => {
    const partitions = [10, 11, 12, 13].map((day) => ({ day, bytes: 100 }));
    expect(chooseDropped(partitions, 13, { keepDays: 30, maxBytes: 1000 })).toEqual({ drop: [], isSpent: false });
    expect(chooseDropped(partitions, 13, { keepDays: 2, maxBytes: 1000 })).toEqual({ drop: [10, 11], isSpent: false });
    expect(chooseDropped(partitions, 13, { keepDays: 30, maxBytes: 250 })).toEqual({ drop: [10, 11], isSpent: false });
    expect(chooseDropped(partitions, 13, { keepDays: 30, maxBytes: 50 })).toEqual({
      drop: [10, 11, 12],
      isSpent: true,
    });
  });
});

describe('the table of a day', () => {
  it('has its date in its name', () => {
    const day = dayOf(Date.parse('2026-11-21T23:59:59.999Z'));
    expect(partitionName(day)).toBe('predictions_20261121');
    expect(startOf(day).toISOString()).toBe('2026-11-21T00:00:00.000Z');
    fc.assert(fc.property(fc.integer({ min: 0, max: 200_000 }), (any) => dayOfPartition(partitionName(any)) === any));
    expect(dayOfPartition('predictions_pkey')).toBeUndefined();
  });
});

const rowAt = (timeMs: number) =>
  JSON.stringify({
    at: new Date(timeMs).toISOString(),
    id: newTimeOrderedId(timeMs),
    instance: 0,
    request_id: 'any',
    model: 'iris',
    status: 'OK',
    inputs: { value: 'x'.repeat(1000) },
  });

describe.each(databaseKinds)('partitions on %s', (kind) => {
  it('are made and dropped by several processes at the same time', async () => {
    await using database = await temporaryDatabase(kind);
    // The embedded database is one process' own.
    const storages = kind === 'postgres' ? [openStorage(database), openStorage(database)] : [openStorage(database)];
    await Promise.all(storages.map((storage) => storage.whenReady()));
    const all = (work: (storage: (typeof storages)[number]) => Promise<void>) =>
      Promise.all([...storages, ...storages].map(work));
    const days = [20_000, 20_001, 20_002];
    await all((storage) => storage.use(({ db }) => createPartitions(db, days)));
    const present = async () =>
      (await storages[0]?.use(({ db }) => listPartitions(db)))?.map(({ day }) => day).filter((day) => day < 20_100);
    expect(await present()).toEqual(days);
    await all((storage) => storage.use(({ db }) => dropPartitions(db, days.slice(0, 2))));
    expect(await present()).toEqual([20_002]);
    await Promise.all(storages.map((storage) => storage.close()));
  });

  it('are seen to: tomorrow is ready, what is too old goes, and what is too much stops the log', async () => {
    await using storage = await temporaryStorage(kind);
    const clock = new VirtualClock();
    const messages: string[] = [];
    const log = {
      info: (_: object, message: string) => void messages.push(message),
      warn: (_: object, message: string) => void messages.push(message),
    };
    let nowMs = Date.parse('2026-11-21T12:00:00Z');
    const today = dayOf(nowMs);
    const bounds = { keepDays: 3, maxBytes: 1024 * 1024 };
    const retention = new Retention(bounds, { storage, clock, wallClock: () => nowMs, log });
    const present = async () => (await storage.use(({ db }) => listPartitions(db))).map(({ day }) => day - today);
    await storage.use(({ db }) => createPartitions(db, [today - 5, today - 2]));

    await retention.run();
    expect(await present()).toEqual([-2, 0, 1]);
    expect(retention.isDiskSpent).toBe(false);

    const rows = Array.from({ length: 2000 }, (_, index) => rowAt(nowMs + index));
    await storage.use(({ db }) => insertPredictions(db, rows));
    await retention.run();
    expect(await present()).toEqual([0, 1]);
    expect(retention.isDiskSpent).toBe(true);
    expect(messages.at(-2)).toContain('PREDICTIONS_MAX_BYTES');

    nowMs += 24 * 60 * 60 * 1000;
    await retention.run();
    expect(await present()).toEqual([1, 2]);
    expect(retention.isDiskSpent).toBe(false);
    retention.close();
  });

  it('keeps a row that is sent twice once', async () => {
    await using storage = await temporaryStorage(kind);
    const nowMs = Date.parse('2020-02-29T12:00:00Z');
    await storage.use(({ db }) => createPartitions(db, [dayOf(nowMs)]));
    const row = rowAt(nowMs);
    await storage.use(({ db }) => insertPredictions(db, [row, rowAt(nowMs)]));
    await storage.use(({ db }) => insertPredictions(db, [row]));
    const { rows } = await storage.use(({ db }) =>
      sql<{ count: string }>`select count(*) as count from inferd.predictions`.execute(db),
    );
    expect(rows).toEqual([{ count: '2' }]);
  });
});
