import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { migrate } from '../../src/storage/migrate.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { temporaryStorage } from './database.ts';

/**
 * One storage for all tests of a `describe`, which begin with nothing in it: to start the embedded database takes longer
 * than most tests. A test may kill the process of the database, and must not close the storage.
 */
export function sharedStorage(kind: 'embedded' | 'postgres'): () => Storage {
  let storage: Awaited<ReturnType<typeof temporaryStorage>>;
  let isNew = true;
  beforeAll(async () => {
    storage = await temporaryStorage(kind);
  });
  beforeEach(async () => {
    if (!isNew) await empty(storage);
    isNew = false;
  });
  afterAll(() => storage[Symbol.asyncDispose]());
  return () => storage;
}

async function empty(storage: Storage): Promise<void> {
  await storage.whenReady();
  await storage.use(async ({ db }) => {
    await sql`DROP SCHEMA inferd CASCADE`.execute(db);
    await migrate(db);
  });
  const names = await readdir(storage.dataDir).catch(() => []);
  for (const name of names) {
    if (name !== 'database') await rm(join(storage.dataDir, name), { recursive: true, force: true });
  }
}
