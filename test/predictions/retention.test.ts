import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { defaultManifest } from '../../src/models/manifest.ts';
import { dayMs, dayOf, startOf } from '../../src/predictions/day.ts';
import { createPartitions, cutPartition, dropPartitions, listPartitions } from '../../src/predictions/partitions.ts';
import { PredictionLog } from '../../src/predictions/prediction-log.ts';
import { settledTime } from '../../src/predictions/recording/settled-time.ts';
import { chooseDropped, Retention } from '../../src/predictions/retention.ts';
import { insertPredictions } from '../../src/predictions/store.ts';
import { gapAround, holds, partitionName } from '../../src/predictions/time-range.ts';
import type { Inference } from '../../src/serving/infer.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { newTimeOrderedId } from '../../src/storage/time-ordered-id.ts';
import { float32 } from '../../src/tensor/tensor.ts';
import { databaseKinds, openStorage, temporaryDatabase } from '../helpers/database.ts';
import { sharedStorage } from '../helpers/shared-storage.ts';
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
    youngerMs: fc.constantFrom(0, dayMs, 10 * dayMs),
    keepDays: fc.integer({ min: 1, max: 40 }),
    maxBytes: fc.nat(2000),
  });

  it('are too old or too much, the oldest first, and that of the moment last', () => {
    fc.assert(
      fc.property(arbitrary, ({ present, nowMs, youngerMs, ...bounds }) => {
        const agedByMs = nowMs - youngerMs;
        const drop = chooseDropped(present, { nowMs, agedByMs }, bounds);
        const kept = present.filter((partition) => !drop.includes(partition));
        const keptFromMs = startOf(dayOf(agedByMs) - bounds.keepDays + 1);
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
      chooseDropped(days, { nowMs: startOf(day) + 1, agedByMs: startOf(day) + 1 }, bounds).map(({ name }) => name);
    expect(names(13, { keepDays: 30, maxBytes: 1000 })).toEqual([]);
    expect(names(13, { keepDays: 2, maxBytes: 1000 })).toEqual(['10', '11']);
    expect(names(13, { keepDays: 30, maxBytes: 350 })).toEqual(['10', '11']);
    expect(names(13, { keepDays: 30, maxBytes: 100 })).toEqual(['10', '11', '12', '20']);
    expect(names(13, { keepDays: 30, maxBytes: 99 })).toEqual(['10', '11', '12', '20', '13']);
  });
});

describe('the time that predictions are aged by', () => {
  const rangesOf = (days: readonly number[]) =>
    days.map((day) => ({ fromMs: startOf(day), untilMs: startOf(day + 1) }));
  const noonOf = (day: number) => startOf(day) + dayMs / 2;

  it('is that of the clock while there is a partition for each day', () => {
    expect(settledTime([], noonOf(10))).toBe(noonOf(10));
    expect(settledTime(rangesOf([10, 11]), noonOf(10))).toBe(noonOf(10));
    expect(settledTime(rangesOf([9, 10, 11]), noonOf(10))).toBe(noonOf(10));
    expect(settledTime(rangesOf([7, 8, 9, 10, 11]), noonOf(10))).toBe(noonOf(10));
    expect(settledTime(rangesOf([10, 11, 300]), noonOf(10))).toBe(noonOf(10));
  });

  it('does not follow a jump before two days', () => {
    const before = [8, 9, 10, 11];
    const after = [300, 301];
    expect(settledTime(rangesOf([...before, ...after]), noonOf(300))).toBe(startOf(11) - 1);
    expect(settledTime(rangesOf([...before, ...after, 302]), noonOf(301))).toBe(startOf(11) - 1);
    expect(settledTime(rangesOf([...before, ...after, 302, 303]), noonOf(302))).toBe(noonOf(302));
    expect(settledTime(rangesOf([...before, ...after]), noonOf(10))).toBe(noonOf(10));
    expect(settledTime(rangesOf([...before, 300, 301, 302, 400, 401]), noonOf(400))).toBe(startOf(11) - 1);
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

const inference: Inference = {
  model: {
    name: 'iris',
    version: '1',
    manifest: defaultManifest(),
    signature: { inputs: [], outputs: [] },
    independentRows: true,
  },
  inputs: { x: float32([1], [1]) },
  outputs: { y: float32([1], [2]) },
  timings: { queueMs: 0, batchMs: 0, inferMs: 1, batchRows: 1 },
  encodeMs: 0,
  totalMs: 1,
};

describe.each(databaseKinds)('partitions on %s', (kind) => {
  const emptyStorage = sharedStorage(kind);

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
    const storage = emptyStorage();
    let nowMs = Date.parse('2020-02-28T12:00:00Z');
    const bounds = { keepDays: 3, maxBytes: 1024 * 1024 };
    const retention = new Retention(
      bounds,
      watched(storage, () => nowMs),
    );
    await storage.use(({ db }) =>
      createPartitions(
        db,
        [5, 4, 3, 2, 1].map((days) => nowMs - days * dayMs),
      ),
    );
    const days = async () => (await present(storage)).map((range) => range.slice(0, 10));
    await retention.run();
    expect(await days()).toEqual(['2020-02-26', '2020-02-27', '2020-02-28', '2020-02-29']);
    nowMs += dayMs;
    await retention.run();
    expect(await days()).toEqual(['2020-02-27', '2020-02-28', '2020-02-29', '2020-03-01']);
  });

  it('are not too old by a clock that has jumped ahead, before it has gone on for two days', async () => {
    const storage = emptyStorage();
    const noonMs = Date.parse('2020-02-28T12:00:00Z');
    let nowMs = noonMs;
    const dependencies = watched(storage, () => nowMs);
    const retention = new Retention({ keepDays: 3, maxBytes: 1024 ** 3 }, dependencies);
    await retention.run();
    await insertRows(storage, 3, noonMs);

    const passes = [noonMs + 300 * dayMs, noonMs + 301 * dayMs, noonMs + 60_000, noonMs + 400 * dayMs];
    for (const timeMs of passes) {
      nowMs = timeMs;
      await retention.run();
    }
    expect(await countRows(storage)).toBe(3);
    expect(dependencies.messages).toEqual([expect.stringContaining('jumped'), expect.stringContaining('jumped')]);

    // Another process knows nothing of the jump, but what the partitions tell.
    const other = new Retention({ keepDays: 3, maxBytes: 1024 ** 3 }, dependencies);
    for (let day = 400; day < 402; day += 1) {
      nowMs = noonMs + day * dayMs;
      await other.run();
      expect(await countRows(storage)).toBe(3);
    }
    nowMs = noonMs + 402 * dayMs;
    await other.run();
    expect(await countRows(storage)).toBe(0);
  });

  it('are not too old by a clock that is ahead of that of the database', async () => {
    const storage = emptyStorage();
    let nowMs = Date.now() - dayMs;
    const dependencies = watched(storage, () => nowMs);
    const retention = new Retention({ keepDays: 3, maxBytes: 1024 ** 3 }, dependencies);
    await retention.run();
    await insertRows(storage, 3, nowMs);
    nowMs += 300 * dayMs;
    for (let day = 0; day < 4; day += 1) {
      nowMs += dayMs;
      await retention.run();
    }
    expect(await countRows(storage)).toBe(3);
    expect(dependencies.messages).toEqual([expect.stringContaining('jumped')]);
  });

  it('are there for every time that a clock jumps back to', async () => {
    const storage = emptyStorage();
    let nowMs = Date.parse('2020-02-28T12:00:00Z');
    const { log, clock } = watched(storage, () => nowMs);
    const options = {
      share: 1,
      maxPerSecond: 1000,
      redact: [],
      maxInstanceBytes: 1000,
      keepDays: 3,
      maxBytes: 1024 ** 3,
    };
    const predictions = new PredictionLog(options, { storage, clock, log, wallClock: () => nowMs });
    const retention = new Retention(options, { storage, clock, log, wallClock: () => nowMs });
    const moments = ['2020-02-28T12:00', '2020-02-27T23:59', '2019-06-01T00:00', '1970-01-01T00:00'];
    const request = { model: 'iris', requestId: 'any', signal: AbortSignal.abort() };
    for (const moment of moments) {
      nowMs = Date.parse(`${moment}:00Z`);
      await retention.run();
      expect(predictions.recorder.recordAnswer(request, inference, undefined)).toBeDefined();
      await predictions.flush();
    }
    expect(await countRows(storage)).toBe(moments.length);
    const { written, byReason } = predictions.counts;
    expect([written, byReason.refused]).toEqual([moments.length, 0]);
    await predictions.close();
  });

  it('are cut before they are too much, so that the oldest part of today goes', async () => {
    const storage = emptyStorage();
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
    const storage = emptyStorage();
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
    const storage = emptyStorage();
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
    const storage = emptyStorage();
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
    const storage = emptyStorage();
    const nowMs = Date.parse('2020-02-29T12:00:00Z');
    await storage.use(({ db }) => createPartitions(db, [nowMs]));
    const row = rowAt(nowMs);
    await storage.use(({ db }) => insertPredictions(db, [row, rowAt(nowMs)]));
    await storage.use(({ db }) => insertPredictions(db, [row]));
    expect(await countRows(storage)).toBe(2);
  });
});
