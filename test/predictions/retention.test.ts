import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { dayMs, dayOf, startOf } from '../../src/predictions/day.ts';
import { createPartitions, cutPartition, dropPartitions, listPartitions } from '../../src/predictions/partitions.ts';
import { chooseDropped, Retention } from '../../src/predictions/retention.ts';
import { insertPredictions } from '../../src/predictions/store.ts';
import { gapAround, holds, partitionName } from '../../src/predictions/time-range.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { newTimeOrderedId } from '../../src/storage/time-ordered-id.ts';
import { databaseKinds, openStorage, temporaryDatabase, temporaryStorage } from '../helpers/database.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** Partitions one behind the other, each with its bytes, from times of the days of 1970 and 1971. */
const partitions = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 60 * 24 }), fc.nat(100)), {
    selector: ([hour]) => hour,
    minLength: 2,
  })
  .map((starts) => {
    const inOrder = starts
      .toSorted(([a], [b]) => a - b)
      .map(([hour, bytes]) => ({ fromMs: (hour * dayMs) / 24, bytes }));
    return inOrder.slice(1).map(({ fromMs: untilMs }, index) => {
      const { fromMs = 0, bytes = 0 } = inOrder[index] ?? {};
      return { name: partitionName(fromMs), fromMs, untilMs, bytes };
    });
  });

describe('which partitions are dropped', () => {
  const arbitrary = fc.record({
    present: partitions,
    nowMs: fc.integer({ min: 0, max: 61 * dayMs }),
    keepDays: fc.integer({ min: 1, max: 40 }),
    maxBytes: fc.nat(2000),
  });

  it('are too old or too much, the oldest first, and that of the moment last', () => {
    fc.assert(
      fc.property(arbitrary, ({ present, nowMs, ...bounds }) => {
        const drop = chooseDropped(present, nowMs, bounds);
        const kept = present.filter((partition) => !drop.includes(partition));
        const keptFromMs = startOf(dayOf(nowMs) - bounds.keepDays + 1);
        const isCurrent = (range: (typeof present)[number]) => holds(range, nowMs);
        const others = drop.filter((partition) => !isCurrent(partition));
        expect(kept.every(({ untilMs }) => untilMs > keptFromMs)).toBe(true);
        expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(bounds.maxBytes);
        expect(drop.some(isCurrent) && kept.length > 0).toBe(false);
        for (const { fromMs } of kept.filter((partition) => !isCurrent(partition))) {
          expect(others.every((dropped) => dropped.fromMs < fromMs)).toBe(true);
        }
        const lastBytes = drop.at(-1)?.bytes ?? 0;
        const isLastTooMuch = kept.reduce((sum, { bytes }) => sum + bytes, lastBytes) > bounds.maxBytes;
        expect(drop.every(({ untilMs }) => untilMs <= keptFromMs) || isLastTooMuch).toBe(true);
      }),
    );
  });

  it('are no more than needed, and none that lies ahead before one that has passed', () => {
    const days = [10, 11, 12, 13, 20].map((day) => ({
      name: String(day),
      fromMs: startOf(day),
      untilMs: startOf(day + 1),
      bytes: 100,
    }));
    const names = (day: number, bounds: { keepDays: number; maxBytes: number }) =>
      chooseDropped(days, startOf(day) + 1, bounds).map(({ name }) => name);
    expect(names(13, { keepDays: 30, maxBytes: 1000 })).toEqual([]);
    expect(names(13, { keepDays: 2, maxBytes: 1000 })).toEqual(['10', '11']);
    expect(names(13, { keepDays: 30, maxBytes: 350 })).toEqual(['10', '11']);
    expect(names(13, { keepDays: 30, maxBytes: 100 })).toEqual(['10', '11', '12', '20']);
    expect(names(13, { keepDays: 30, maxBytes: 99 })).toEqual(['10', '11', '12', '20', '13']);
  });
});

describe('the range of a partition', () => {
  it('has its beginning in the name of the table', () => {
    expect(partitionName(Date.parse('2026-11-21T00:00:00.000Z'))).toBe('predictions_20261121');
    expect(partitionName(Date.parse('2026-11-21T13:44:09.408Z'))).toBe('predictions_20261121_134409408');
  });

  it('takes every moment of its day that no other takes', () => {
    fc.assert(
      fc.property(partitions, fc.integer({ min: 0, max: 61 * dayMs }), (present, timeMs) => {
        const ranges = present.filter((_, index) => index % 3 > 0);
        const gap = gapAround(timeMs, ranges);
        if (gap === undefined) return ranges.some((range) => holds(range, timeMs));
        expect(holds(gap, timeMs)).toBe(true);
        expect([dayOf(gap.fromMs), dayOf(gap.untilMs - 1)]).toEqual([dayOf(timeMs), dayOf(timeMs)]);
        return ranges.every(({ fromMs, untilMs }) => untilMs <= gap.fromMs || gap.untilMs <= fromMs);
      }),
    );
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

const insertRows = (storage: Storage, count: number, fromMs: number) =>
  storage.use(({ db }) =>
    insertPredictions(
      db,
      Array.from({ length: count }, (_, index) => rowAt(fromMs + index)),
    ),
  );

/** What the partitions are, as text. */
async function present(storage: Storage): Promise<string[]> {
  const partitions = await storage.use(({ db }) => listPartitions(db));
  return partitions.map(
    ({ fromMs, untilMs }) => `${new Date(fromMs).toISOString()} ${new Date(untilMs).toISOString()}`,
  );
}

async function countRows(storage: Storage): Promise<number> {
  const { rows } = await storage.use(({ db }) =>
    sql<{ count: string }>`select count(*) as count from inferd.predictions`.execute(db),
  );
  return Number(rows[0]?.count);
}

/** What a retention needs, with messages that it has logged. */
function watched(storage: Storage, wallClock: () => number) {
  const messages: string[] = [];
  const note = (_: object, message: string) => void messages.push(message);
  return { storage, clock: new VirtualClock(), wallClock, log: { info: note, warn: note }, messages };
}

describe.each(databaseKinds)('partitions on %s', (kind) => {
  it('are made and dropped by several processes at the same time', async () => {
    await using database = await temporaryDatabase(kind);
    // The embedded database is one process' own.
    const storages = kind === 'postgres' ? [openStorage(database), openStorage(database)] : [openStorage(database)];
    await Promise.all(storages.map((storage) => storage.whenReady()));
    const all = (work: (storage: (typeof storages)[number]) => Promise<void>) =>
      Promise.all([...storages, ...storages].map(work));
    const days = [20_000, 20_001, 20_002].map(startOf);
    await all((storage) => storage.use(({ db }) => createPartitions(db, days)));
    const [first] = storages;
    const list = async () => (await first?.use(({ db }) => listPartitions(db))) ?? [];
    const ofDays = async () => (await list()).filter(({ fromMs }) => fromMs < startOf(20_100));
    expect((await ofDays()).map(({ fromMs }) => fromMs)).toEqual(days);
    const [one, two, three] = await ofDays();
    if (first === undefined || one === undefined || two === undefined || three === undefined)
      throw new Error('no days');
    await all((storage) => storage.use(({ db }) => dropPartitions(db, [one, two])));
    expect(await ofDays()).toEqual([three]);
    await insertRows(first, 3, startOf(20_002));
    await all((storage) => storage.use(async ({ db }) => void (await cutPartition(db, three))));
    expect((await ofDays()).map(({ fromMs }) => fromMs)).toEqual([startOf(20_002), startOf(20_002) + 3]);
    await Promise.all(storages.map((storage) => storage.close()));
  });

  it('are seen to: tomorrow is ready, and what is too old goes', async () => {
    await using storage = await temporaryStorage(kind);
    let nowMs = Date.parse('2020-02-28T12:00:00Z');
    const bounds = { keepDays: 3, maxBytes: 1024 * 1024 };
    const retention = new Retention(
      bounds,
      watched(storage, () => nowMs),
    );
    await storage.use(({ db }) => createPartitions(db, [nowMs - 5 * dayMs, nowMs - 2 * dayMs]));
    const days = async () => (await present(storage)).map((range) => range.slice(0, 10));
    await retention.run();
    expect(await days()).toEqual(['2020-02-26', '2020-02-28', '2020-02-29']);
    nowMs += dayMs;
    await retention.run();
    expect(await days()).toEqual(['2020-02-28', '2020-02-29', '2020-03-01']);
  });

  it('are cut before they are too much, so that the oldest part of today goes', async () => {
    await using storage = await temporaryStorage(kind);
    const noonMs = Date.parse('2020-02-29T12:00:00Z');
    let nowMs = noonMs;
    const bounds = { keepDays: 3, maxBytes: 1024 * 1024 };
    const dependencies = watched(storage, () => nowMs);
    const retention = new Retention(bounds, dependencies);
    await retention.run();

    await insertRows(storage, 200, noonMs);
    nowMs += 60_000;
    await retention.run();
    expect(await present(storage)).toEqual([
      '2020-02-29T00:00:00.000Z 2020-02-29T12:00:00.200Z',
      '2020-02-29T12:00:00.200Z 2020-03-01T00:00:00.000Z',
      '2020-03-01T00:00:00.000Z 2020-03-02T00:00:00.000Z',
    ]);
    expect(dependencies.messages).toEqual([]);
    expect(await countRows(storage)).toBe(200);

    for (let minute = 0; minute < 20; minute += 1) {
      await insertRows(storage, 200, nowMs);
      nowMs += 60_000;
      await retention.run();
    }
    expect(dependencies.messages).toContain('Dropped the oldest predictions');
    const partitions = await storage.use(({ db }) => listPartitions(db));
    const bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(bounds.maxBytes);
    expect(bytes).toBeGreaterThan(bounds.maxBytes / 2);
    const { rows } = await storage.use(({ db }) =>
      sql<{ last: Date }>`select max(at) as last from inferd.predictions`.execute(db),
    );
    expect(rows[0]?.last.getTime()).toBe(nowMs - 60_000 + 199);
  });

  it('are made again for a prediction of a time that has been dropped', async () => {
    await using storage = await temporaryStorage(kind);
    const noonMs = Date.parse('2020-02-29T12:00:00Z');
    await storage.use(({ db }) => createPartitions(db, [noonMs]));
    await insertRows(storage, 2, noonMs);
    const [day] = await storage.use(({ db }) => listPartitions(db));
    if (day === undefined) throw new Error('no partition');
    expect(await storage.use(({ db }) => cutPartition(db, day))).toBe(true);
    await storage.use(({ db }) => dropPartitions(db, [day]));
    await storage.use(({ db }) => createPartitions(db, [noonMs - 1, noonMs, noonMs + 5]));
    expect(await present(storage)).toEqual([
      '2020-02-29T00:00:00.000Z 2020-02-29T12:00:00.002Z',
      '2020-02-29T12:00:00.002Z 2020-03-01T00:00:00.000Z',
    ]);
    await insertRows(storage, 4, noonMs);
    expect(await countRows(storage)).toBe(4);
  });

  it('are cut while others write, who lose nothing', async () => {
    await using storage = await temporaryStorage(kind);
    const noonMs = Date.parse('2020-02-29T12:00:00Z');
    await storage.use(({ db }) => createPartitions(db, [noonMs]));
    const cutLast = () =>
      storage.use(async ({ db }) => {
        const last = (await listPartitions(db)).at(-1);
        if (last !== undefined) await cutPartition(db, last);
      });
    const write = async (writer: number) => {
      for (let batch = 0; batch < 10; batch += 1) await insertRows(storage, 20, noonMs + batch * 1000 + writer);
    };
    const cut = async () => {
      for (let time = 0; time < 5; time += 1) await cutLast();
    };
    await Promise.all([write(0), cut(), write(1), cut()]);
    expect(await countRows(storage)).toBe(400);
    expect((await present(storage)).length).toBeGreaterThan(1);
  });

  it('are not cut where there is nothing before or behind the cut', async () => {
    await using storage = await temporaryStorage(kind);
    const fromMs = Date.parse('2020-02-29T00:00:00Z');
    await storage.use(({ db }) => createPartitions(db, [fromMs]));
    const [day] = await storage.use(({ db }) => listPartitions(db));
    if (day === undefined) throw new Error('no partition');
    const cut = () => storage.use(({ db }) => cutPartition(db, day));
    expect(await cut()).toBe(false);
    await insertRows(storage, 1, fromMs + dayMs - 1);
    expect(await cut()).toBe(false);
    expect(await present(storage)).toEqual(['2020-02-29T00:00:00.000Z 2020-03-01T00:00:00.000Z']);
  });

  it('keeps a row that is sent twice once', async () => {
    await using storage = await temporaryStorage(kind);
    const nowMs = Date.parse('2020-02-29T12:00:00Z');
    await storage.use(({ db }) => createPartitions(db, [nowMs]));
    const row = rowAt(nowMs);
    await storage.use(({ db }) => insertPredictions(db, [row, rowAt(nowMs)]));
    await storage.use(({ db }) => insertPredictions(db, [row]));
    expect(await countRows(storage)).toBe(2);
  });
});
