import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import packageJson from '../../package.json' with { type: 'json' };
import { unpackTemplate, writeTemplate } from '../../src/storage/embedded/template.ts';
import { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { temporaryFolder } from './folder.ts';
import { whenNoProcessHas } from './processes-of.ts';

const migrationsDir = new URL('../../src/storage/migrations', import.meta.url).pathname;

const serverUrl = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** A place for a storage, which is gone at the end of the scope. */
export interface TestDatabase extends AsyncDisposable {
  /** Undefined: the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  /** The same as settings. */
  readonly environment: Record<string, string>;
}

/** The kinds of database that tests run on: Postgres only where one listens, or `TEST_DATABASE_URL` says that one does. */
export const databaseKinds: readonly ('embedded' | 'postgres')[] =
  process.env['TEST_DATABASE_URL'] !== undefined || (await isReachable()) ? ['embedded', 'postgres'] : ['embedded'];

/** A database of that kind, with nothing in its tables. */
export function temporaryDatabase(kind: 'embedded' | 'postgres'): Promise<TestDatabase> {
  return kind === 'embedded' ? temporaryEmbedded() : temporaryPostgres();
}

/** A storage on an empty database of that kind, once it is ready. */
export async function temporaryStorage(kind: 'embedded' | 'postgres'): Promise<Storage & AsyncDisposable> {
  const database = await temporaryDatabase(kind);
  const storage = openStorage(database);
  await storage.whenReady();
  return Object.assign(storage, {
    [Symbol.asyncDispose]: async () => {
      await storage.close();
      await database[Symbol.asyncDispose]();
    },
  });
}

/** What a storage has logged, warnings only. */
export type LoggedWarnings = { readonly details: object; readonly message: string }[];

/** Opens a storage there; it has been started. */
export function openStorage(
  { databaseUrl, dataDir }: Pick<TestDatabase, 'databaseUrl' | 'dataDir'>,
  warnings: LoggedWarnings = [],
): Storage {
  const warn = (details: object, message: string) => void warnings.push({ details, message });
  const storage = new Storage({ databaseUrl, dataDir }, { clock: systemClock, log: { info: () => {}, warn } });
  storage.start();
  return storage;
}

async function temporaryEmbedded(): Promise<TestDatabase> {
  const folder = await temporaryFolder(await placeOfManyFiles());
  const template = await embeddedTemplate();
  await mkdir(join(folder.path, 'database'));
  if (!unpackTemplate(join(folder.path, 'database/postgres'), [template])) throw new Error(`${template} is not whole`);
  const environment = { STORAGE: 'on', DATA_DIR: folder.path };
  return {
    databaseUrl: undefined,
    dataDir: folder.path,
    environment,
    [Symbol.asyncDispose]: async () => {
      // The database of a server that was killed is closed first, and writes until then.
      await whenNoProcessHas(folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A database is a thousand files, which some disks take seconds to make: in memory, where that has room. */
async function placeOfManyFiles(): Promise<string> {
  const memory = '/dev/shm';
  const room = await statfs(memory).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize > 2 ** 30 ? memory : tmpdir();
}

/**
 * A template of an embedded database whose tables are made and empty: making them takes seconds, so that they are made once,
 * by the storage itself. Other migrations make another one.
 */
async function embeddedTemplate(): Promise<string> {
  const caches = new URL('../../node_modules/.cache', import.meta.url).pathname;
  const version = packageJson.dependencies['@electric-sql/pglite'];
  const path = join(caches, `inferd-test-pglite-${version}-${await fingerprintOf(migrationsDir)}.gz`);
  if (existsSync(path)) return path;
  await mkdir(caches, { recursive: true });
  const unfinished = await mkdtemp(`${path}-`);
  const storage = openStorage({ databaseUrl: undefined, dataDir: unfinished });
  await storage.whenReady();
  await storage.close();
  writeTemplate(join(unfinished, 'database/postgres'), path);
  await rm(unfinished, { recursive: true, force: true });
  return path;
}

async function fingerprintOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).toSorted()) hash.update(name).update(await readFile(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

async function temporaryPostgres(): Promise<TestDatabase> {
  const folder = await temporaryFolder();
  const name = `inferd_test_${randomUUID().replaceAll('-', '')}`;
  await administrate(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const databaseUrl = url.href;
  return {
    databaseUrl,
    dataDir: folder.path,
    environment: { STORAGE: 'on', DATABASE_URL: databaseUrl, DATA_DIR: folder.path },
    [Symbol.asyncDispose]: async () => {
      await administrate(`DROP DATABASE ${name} WITH (FORCE)`);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function administrate(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function isReachable(): Promise<boolean> {
  try {
    await administrate('SELECT 1');
    return true;
  } catch {
    return false;
  }
}
