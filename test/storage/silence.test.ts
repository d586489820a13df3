import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';

/** A second lasts fifty milliseconds. */
const fastClock = {
  now: () => systemClock.now() * 20,
  setTimer: (delayMs: number, callback: () => void) => systemClock.setTimer(delayMs / 20, callback),
};

function openStorage(
  options: { readonly databaseUrl: string | undefined; readonly dataDir: string },
  clock = fastClock,
) {
  const warnings: string[] = [];
  const warn = (details: object) => void warnings.push(JSON.stringify(details));
  const storage = new Storage(options, { clock, log: { info: () => {}, warn } });
  storage.start();
  return Object.assign(storage, { warnings, [Symbol.asyncDispose]: () => storage.close() });
}

const one = (storage: Storage) =>
  storage.use(async ({ db }) => (await sql<{ one: number }>`SELECT 1 AS one`.execute(db)).rows[0]?.one);

describe.runIf(databaseKinds.includes('postgres'))('a Postgres behind a network that fails', () => {
  it.each(['refusing', 'silent'] as const)('is given up when it is %s, and found again', async (network) => {
    await using database = await temporaryDatabase('postgres');
    const { dataDir, databaseUrl = '' } = database;
    await using proxy = await TcpProxy.start(new URL(databaseUrl));
    await using storage = openStorage({ databaseUrl: proxy.url, dataDir });
    await storage.whenReady();
    expect(await one(storage)).toBe(1);

    await proxy.become(network);
    await expect(one(storage)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryAfterSeconds: 5 });
    expect(storage.state).toBe('unavailable');
    await proxy.become('working');
    await storage.whenReady();
    expect(await one(storage)).toBe(1);
  });

  it('undoes the transaction that was under way', async () => {
    await using database = await temporaryDatabase('postgres');
    const { dataDir, databaseUrl = '' } = database;
    await using proxy = await TcpProxy.start(new URL(databaseUrl));
    await using storage = openStorage({ databaseUrl: proxy.url, dataDir });
    await storage.whenReady();
    await storage.use(({ db }) => sql`CREATE TABLE inferd.kept (value int)`.execute(db));
    const halfDone = storage.use(({ db }) =>
      db.transaction().execute(async (transaction) => {
        await sql`INSERT INTO inferd.kept VALUES (1)`.execute(transaction);
        await proxy.become('silent');
        await sql`INSERT INTO inferd.kept VALUES (2)`.execute(transaction);
      }),
    );
    await expect(halfDone).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await proxy.become('working');
    await storage.whenReady();
    const { rows } = await storage.use(({ db }) => sql`SELECT value FROM inferd.kept`.execute(db));
    expect(rows).toEqual([]);
  });
});

describe.each(databaseKinds)('a %s database that takes long', (kind) => {
  it('is not given up', async () => {
    await using database = await temporaryDatabase(kind);
    await using storage = openStorage(database, {
      ...fastClock,
      // It is asked soon, and may take its time.
      setTimer: (delayMs, callback) =>
        systemClock.setTimer(delayMs === 5000 && kind === 'embedded' ? 20 : delayMs, callback),
    });
    await storage.whenReady();
    await storage.use(({ db }) => sql`SELECT pg_sleep(0.3)`.execute(db));
    expect(storage.state).toBe('ready');
    expect(storage.warnings).toEqual([]);
  });
});

describe('an embedded database that says nothing', () => {
  it('is ended and started again', async () => {
    await using database = await temporaryDatabase('embedded');
    await using storage = openStorage(database);
    await storage.whenReady();
    const { pid = 0 } = storage;
    process.kill(pid, 'SIGSTOP');
    await expect(one(storage)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(storage.reason).toBe('the database does not answer');
    await storage.whenReady();
    expect(storage.pid).not.toBe(pid);
    expect(await one(storage)).toBe(1);
  });

  it('is also ended when it has no room for its log, after which it would never answer', async () => {
    await using database = await temporaryDatabase('embedded');
    await using storage = openStorage(database, systemClock);
    await storage.whenReady();
    const { pid } = storage;
    const full = sql`DO $$ BEGIN
      RAISE EXCEPTION 'could not write to file "pg_wal/xlogtemp.42": No space left on device' USING ERRCODE = '53100';
    END $$`;
    await expect(storage.use(({ db }) => full.execute(db))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(storage.state).toBe('unavailable');
    await storage.whenReady();
    expect(storage.pid).not.toBe(pid);
  });

  it('goes on where it was when it is only held up for a while', async () => {
    await using database = await temporaryDatabase('embedded');
    await using storage = openStorage(database, systemClock);
    await storage.whenReady();
    const { pid = 0 } = storage;
    process.kill(pid, 'SIGSTOP');
    const waiting = one(storage);
    process.kill(pid, 'SIGCONT');
    expect(await waiting).toBe(1);
    expect(storage.pid).toBe(pid);
  });

  it('does not hold up the end of the server', async () => {
    await using database = await temporaryDatabase('embedded');
    await using storage = openStorage(database, systemClock);
    await storage.whenReady();
    process.kill(storage.pid ?? 0, 'SIGSTOP');
    const startedMs = performance.now();
    await storage.close();
    // Less than it is given to answer.
    expect(performance.now() - startedMs).toBeLessThan(25_000);
    expect(storage.state).toBe('closed');
  });
});
