import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/storage/migrate.ts';
import { migrations } from '../../src/storage/migrations/migrations.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { databaseKinds, openStorage, temporaryDatabase } from '../helpers/database.ts';
import { sharedStorage } from '../helpers/shared-storage.ts';

const names = Object.keys(migrations);

/** Every column and index that there is, but for what the migrations write down of themselves. */
async function structure(storage: Storage): Promise<string[]> {
  const { rows } = await storage.use(({ db }) =>
    sql<{ line: string }>`
      SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
        || coalesce(column_default, '') AS line
      FROM information_schema.columns WHERE table_schema = 'inferd' AND table_name NOT LIKE 'kysely%'
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'inferd' AND tablename NOT LIKE 'kysely%'
      ORDER BY line`.execute(db),
  );
  return rows.map(({ line }) => line);
}

const forgetEverything = (storage: Storage) => storage.use(({ db }) => sql`DROP SCHEMA inferd CASCADE`.execute(db));

describe.each(databaseKinds)('migrations on %s', (kind) => {
  const newStorage = sharedStorage(kind);

  it('lead from every earlier state to the same one', async () => {
    const storage = newStorage();
    const latest = await structure(storage);
    expect(latest.length).toBeGreaterThan(10);
    for (const name of names) {
      await forgetEverything(storage);
      await storage.use(({ db }) => migrate(db, name));
      await storage.use(({ db }) => migrate(db));
      expect(await structure(storage), name).toEqual(latest);
    }
  });

  it('change nothing the second time', async () => {
    const storage = newStorage();
    const before = await structure(storage);
    await storage.use(({ db }) => migrate(db));
    expect(await structure(storage)).toEqual(before);
  });

  it('are numbered in the order in which they run', () => {
    expect(names).toEqual(names.toSorted());
    expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
  });
});

describe.each(databaseKinds.filter((kind) => kind === 'postgres'))('on one %s', (kind) => {
  it('several processes start at once', async () => {
    await using database = await temporaryDatabase(kind);
    const storages = Array.from({ length: 4 }, () => openStorage(database));
    await Promise.all(storages.map((storage) => storage.whenReady()));
    const [first] = storages;
    if (first !== undefined) expect((await structure(first)).length).toBeGreaterThan(10);
    await Promise.all(storages.map((storage) => storage.close()));
  });
});
