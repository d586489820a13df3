import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { FileServer } from '../helpers/file-server.ts';
import { temporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { type SpawnedProcess, spawnProcess, startProcess } from '../helpers/process.ts';
import { whenNoProcessHas } from '../helpers/processes-of.ts';
import { S3Server } from '../helpers/s3-server.ts';

/** Less than anything that the starts here wait for would take, so that a stop that waits for it ends with 1. */
const bounded = { SHUTDOWN_TIMEOUT_MS: '5000' };
const storageReady = ({ msg }: { readonly msg?: unknown }) => msg === 'Storage ready';

async function terminate({ child, exit, lines }: SpawnedProcess): Promise<void> {
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  expect(lines.at(-1)).toMatchObject({ msg: 'Stopped' });
}

/** Takes connections, and never says anything. */
async function silentServer(): Promise<Server & { readonly port: number }> {
  const server = createServer((socket) => void onTestFinished(() => void socket.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

describe('SIGTERM ends a start', () => {
  it('while the embedded database is being made, which the next start makes anew', async () => {
    await using repository = await temporaryRepository('iris');
    await using folder = await temporaryFolder();
    // Without a template, which would make it in a moment.
    const HOME = join(folder.path, 'home');
    const environment = { MODELS_DIR: repository.path, STORAGE: 'on', DATA_DIR: folder.path, HOME };
    {
      await using server = await startProcess({ ...environment, ...bounded });
      await expect.poll(() => existsSync(join(folder.path, 'database/postgres.new'))).toBe(true);
      await terminate(server);
    }
    expect(existsSync(join(folder.path, 'database/postgres'))).toBe(false);
    await whenNoProcessHas(folder.path, 0);
    await using again = await startProcess(environment);
    await again.line(storageReady);
    await terminate(again);
    await whenNoProcessHas(folder.path, 0);
  });

  it('while an archive comes that never ends', async () => {
    await using web = await FileServer.start({ '/models.tar.gz': Buffer.alloc(1000) });
    web.mishaps.push({ hangAt: 10 });
    await using cache = await temporaryFolder();
    await using server = spawnProcess({
      ...bounded,
      MODELS_URI: web.url('/models.tar.gz').href,
      MODELS_CACHE_DIR: cache.path,
    });
    await expect.poll(() => web.requests.some(({ path }) => path === '/models.tar.gz')).toBe(true);
    await terminate(server);
  });

  it('while a bucket does not answer', async () => {
    await using bucket = await S3Server.start({ 'models/iris/1/model.onnx': 'never sent' });
    bucket.onGet = () => new Promise(() => {});
    await using cache = await temporaryFolder();
    await using server = spawnProcess({
      ...bounded,
      ...bucket.environment,
      MODELS_URI: 's3://bucket/models',
      MODELS_CACHE_DIR: cache.path,
    });
    await expect.poll(() => bucket.gets().length).toBeGreaterThan(0);
    await terminate(server);
  });

  it('while a Postgres takes the connection and does not answer', async () => {
    await using repository = await temporaryRepository('iris');
    const silent = await silentServer();
    const connected = once(silent, 'connection');
    await using server = await startProcess({
      ...bounded,
      MODELS_DIR: repository.path,
      STORAGE: 'on',
      DATABASE_URL: `postgres://postgres@127.0.0.1:${silent.port}/postgres`,
    });
    await connected;
    await terminate(server);
  });

  it.runIf(databaseKinds.includes('postgres'))('while its migrations wait for those of another program', async () => {
    await using repository = await temporaryRepository('iris');
    await using database = await temporaryDatabase('postgres');
    const other = new pg.Client({ connectionString: database.databaseUrl ?? '' });
    const observer = new pg.Client({ connectionString: database.databaseUrl ?? '' });
    await Promise.all([other.connect(), observer.connect()]);
    try {
      await other.query('BEGIN');
      await other.query('CREATE SCHEMA inferd');
      await using server = await startProcess({ ...bounded, ...database.environment, MODELS_DIR: repository.path });
      const waits = async () => {
        const { rows } = await observer.query(
          "SELECT 1 FROM pg_stat_activity WHERE application_name = 'inferd' AND wait_event_type = 'Lock' AND datname = current_database()",
        );
        return rows.length;
      };
      await expect.poll(waits).toBeGreaterThan(0);
      await terminate(server);
    } finally {
      await Promise.all([other.end(), observer.end()]);
    }
    await using again = await startProcess({ ...database.environment, MODELS_DIR: repository.path });
    await again.line(storageReady);
    await terminate(again);
  });
});
