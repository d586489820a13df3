import { mkdir, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { databaseKinds, type LoggedWarnings, openStorage, temporaryDatabase } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { isAlive } from '../helpers/process.ts';
import { sharedStorage } from '../helpers/shared-storage.ts';

const one = (storage: ReturnType<typeof openStorage>) =>
  storage.use(async ({ db }) => (await sql<{ one: number }>`SELECT 1 AS one`.execute(db)).rows[0]?.one);

async function truncateAll(folder: string, names: RegExp): Promise<void> {
  for (const name of await readdir(folder)) if (names.test(name)) await truncate(join(folder, name), 100);
}

describe.each(databaseKinds)('a storage on %s', (kind) => {
  const openedStorage = sharedStorage(kind);

  it('starts by itself, and again on what it has kept', async () => {
    await using database = await temporaryDatabase(kind);
    const first = openStorage(database);
    expect(first.state).toBe('starting');
    expect(() => first.open).toThrow(expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }));
    await first.whenReady();
    await first.use(({ db }) => sql`CREATE TABLE inferd.kept AS SELECT 7 AS value`.execute(db));
    await first.close();
    expect(first.state).toBe('closed');
    const second = openStorage(database);
    await second.whenReady();
    const { rows } = await second.use(({ db }) => sql`SELECT value FROM inferd.kept`.execute(db));
    expect(rows).toEqual([{ value: 7 }]);
    await second.close();
  });

  it('passes on what is wrong with a statement, and stays ready', async () => {
    const storage = openedStorage();
    const wrong = storage.use(({ db }) => sql`SELECT * FROM nowhere`.execute(db));
    await expect(wrong).rejects.toMatchObject({ code: '42P01' });
    expect(storage.state).toBe('ready');
  });

  it('rolls back what fails half-way, also when others ask meanwhile', async () => {
    const storage = openedStorage();
    await storage.use(({ db }) => sql`CREATE TABLE inferd.counted (value int)`.execute(db));
    const add = (value: number) =>
      storage.use(({ db }) =>
        db.transaction().execute(async (transaction) => {
          await sql`INSERT INTO inferd.counted VALUES (${value})`.execute(transaction);
          if (value % 2 === 1) throw new Error('odd');
        }),
      );
    await Promise.allSettled(Array.from({ length: 40 }, (_, value) => add(value)));
    const { rows } = await storage.use(({ db }) =>
      sql<{ value: number }>`SELECT value FROM inferd.counted ORDER BY value`.execute(db),
    );
    expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, index) => index * 2));
  });
});

describe('the embedded database', () => {
  it('is made where there is none, also when an earlier start was killed while it made one', {
    timeout: 60_000,
  }, async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'database/postgres.new'), { recursive: true });
    await writeFile(join(folder.path, 'database/postgres.new/PG_VERSION'), '18\n');
    const storage = openStorage({ databaseUrl: undefined, dataDir: folder.path });
    await storage.whenReady();
    expect(await one(storage)).toBe(1);
    await storage.close();
  });

  it('is killed and comes back with everything', async () => {
    await using database = await temporaryDatabase('embedded');
    const warnings: LoggedWarnings = [];
    const storage = openStorage(database, warnings);
    await storage.whenReady();
    await storage.use(({ db }) => sql`CREATE TABLE inferd.kept AS SELECT 7 AS value`.execute(db));
    const { pid = 0 } = storage;
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => storage.state).toBe('unavailable');
    await expect(one(storage)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryAfterSeconds: 5 });
    await storage.whenReady();
    expect(storage.pid).not.toBe(pid);
    expect((await storage.use(({ db }) => sql`SELECT value FROM inferd.kept`.execute(db))).rows).toHaveLength(1);
    expect(warnings).toHaveLength(1);
    await storage.close();
    expect(isAlive(pid)).toBe(false);
  });

  it('is for one server alone: a second one is told whose the folder is, and gets it when that one ends', async () => {
    await using database = await temporaryDatabase('embedded');
    const first = openStorage(database);
    await first.whenReady();
    const second = openStorage(database);
    await expect.poll(() => second.reason).toMatch(`process ${process.pid}`);
    expect(second.reason).toMatch(`${database.dataDir}/database is in use`);
    expect(second.state).toBe('unavailable');
    expect(await one(first)).toBe(1);
    await first.close();
    await second.whenReady();
    expect(await one(second)).toBe(1);
    await second.close();
  });

  it.each<[string, (folder: string) => Promise<unknown>]>([
    ['half made', (folder) => rm(join(folder, 'base'), { recursive: true })],
    ['without its control file', (folder) => truncate(join(folder, 'global/pg_control'))],
    [
      'without its log',
      async (folder) => {
        for (const file of await readdir(join(folder, 'pg_wal')))
          await rm(join(folder, 'pg_wal', file), { recursive: true });
      },
    ],
    ['cut off in its log', (folder) => truncateAll(join(folder, 'pg_wal'), /^0000/)],
    ['cut off in its own tables', (folder) => truncateAll(join(folder, 'base/5'), /^\d+$/)],
    ['cut off in ours', (folder) => truncateAll(join(folder, 'base/5'), /^(1[6-9]|[2-9]\d)\d{3}$/)],
  ])('says which folder is damaged, and what to do, when it is %s', async (_, harm) => {
    await using database = await temporaryDatabase('embedded');
    await harm(join(database.dataDir, 'database/postgres'));
    const storage = openStorage(database);
    await expect.poll(() => storage.reason).toMatch(/\/database.* (cannot be opened|is damaged).*backup/);
    expect(storage.reason).toContain(database.dataDir);
    await expect(one(storage)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryAfterSeconds: 5 });
    await storage.close();
  });

  it('begins with an empty one, by itself, when the damaged one is moved away', async () => {
    await using database = await temporaryDatabase('embedded');
    await truncate(join(database.dataDir, 'database/postgres/global/pg_control'));
    const storage = openStorage(database);
    await expect.poll(() => storage.reason).toMatch(/cannot be opened/);
    await rename(join(database.dataDir, 'database'), join(database.dataDir, 'damaged'));
    await storage.whenReady();
    expect(await one(storage)).toBe(1);
    await storage.close();
  });

  it('says which lock is of no use', async () => {
    await using database = await temporaryDatabase('embedded');
    await writeFile(join(database.dataDir, 'database/lock'), 'no lock'.repeat(1000));
    const storage = openStorage(database);
    await expect.poll(() => storage.reason).toMatch(/database\/lock cannot be locked/);
    await storage.close();
  });

  it('says so when the folder cannot be written', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'database'), '');
    const storage = openStorage({ databaseUrl: undefined, dataDir: folder.path });
    await expect.poll(() => storage.reason).toMatch(/EEXIST/);
    await storage.close();
  });

  it('says so when the folder may not be written, and goes on when it may', async () => {
    await using folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    // Root may write what its mode forbids, but nobody makes folders there.
    await symlink('/sys/kernel', dataDir);
    const storage = openStorage({ databaseUrl: undefined, dataDir });
    await expect.poll(() => storage.reason).toMatch(/EPERM|EACCES|EROFS/);
    await rm(dataDir);
    await storage.whenReady();
    expect(await one(storage)).toBe(1);
    await storage.close();
  });
});

describe('a Postgres that is not there', () => {
  it('is named without its password, and waited for', async () => {
    await using folder = await temporaryFolder();
    const warnings: LoggedWarnings = [];
    const url = 'postgres://somebody:hidden@127.0.0.1:1/inferd';
    const storage = openStorage({ databaseUrl: url, dataDir: folder.path }, warnings);
    await expect.poll(() => warnings.length).toBeGreaterThan(1);
    expect(storage.reason).toMatch(/ECONNREFUSED 127.0.0.1:1/);
    expect(JSON.stringify(warnings)).not.toContain('hidden');
    await storage.close();
  });
});
