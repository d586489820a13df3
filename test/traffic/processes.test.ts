import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { databaseKinds, openStorage, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { startReadyServer, startTestServer } from '../helpers/server.ts';
import { trafficProcess } from './traffic-process.ts';
import { netRepository, shares, traffic } from './traffic-server.ts';

/** A process with connections of its own to the database. */
async function processOn(database: TestDatabase) {
  const storage = openStorage(database);
  const process = await trafficProcess(storage);
  const dispose = async () => {
    await process[Symbol.asyncDispose]();
    await storage.close();
  };
  return { ...process, storage, [Symbol.asyncDispose]: dispose };
}

describe.each(databaseKinds.filter((kind) => kind === 'postgres'))('several processes on one %s', (kind) => {
  it('agree within a second of the answer, whichever was asked', async () => {
    await using database = await temporaryDatabase(kind);
    await using first = await processOn(database);
    await using second = await processOn(database);
    await using third = await processOn(database);
    const all = [first, second, third];
    const agree = (versions: readonly number[]) =>
      expect
        .poll(() => Promise.all(all.map((process) => process.answering())), { timeout: 1000, interval: 20 })
        .toEqual(all.map(() => versions));
    expect(await first.ask('PUT', { body: { split: { 1: 1, 2: 1 } } })).toMatchObject({ status: 200 });
    await agree([1, 2]);
    expect(await second.ask('PUT', { body: { split: { 2: 1 } }, ifMatch: '*' })).toMatchObject({ status: 200 });
    await agree([2]);
    expect(await third.ask('DELETE', { ifMatch: '*' })).toMatchObject({ status: 200 });
    await agree([3]);
    for (const process of all) await process.until(() => process.loaded()?.join() === '3 READY');
  });

  it('follow what was changed while one of them did not hear', async () => {
    await using database = await temporaryDatabase(kind);
    await using first = await processOn(database);
    await using second = await processOn(database);
    await first.ask('PUT', { body: { split: { 1: 1 } } });
    await expect.poll(() => second.answering()).toEqual([1]);
    await second.storage.use(({ pool }) =>
      pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN inferd_traffic%'`,
      ),
    );
    await first.ask('PUT', { body: { split: { 2: 1 } }, ifMatch: '*' });
    await expect.poll(() => second.answering(), { timeout: 10_000 }).toEqual([2]);
  });
});

describe.each(databaseKinds)('a server on %s', (kind) => {
  it('is ready with what was stored before its start', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await netRepository();
    const environment = { MODELS_DIR: repository.path, ...database.environment };
    {
      await using server = await startReadyServer(environment);
      await server.storage?.whenReady();
      expect(await traffic(server.address, 'PUT', { body: { split: { 1: 1 } } })).toMatchObject({ status: 200 });
    }
    await using server = await startReadyServer(environment);
    // The models are loaded: no request has been answered by another version.
    expect(await shares(server.address)).toEqual({ 1: 100 });
  });
});

it('a server goes by what it knew last while the storage is away', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await netRepository();
  await using server = await startReadyServer({ MODELS_DIR: repository.path, ...database.environment });
  const { address, storage } = server;
  await storage?.whenReady();
  const put = await traffic(address, 'PUT', { body: { split: { 1: 1 } } });
  process.kill(storage?.pid ?? 0, 'SIGKILL');
  await expect.poll(() => storage?.state).toBe('unavailable');
  expect(await shares(address)).toEqual({ 1: 100 });
  expect(await traffic(address, 'GET')).toEqual(put);
  const refused = await traffic(address, 'PUT', { body: { split: { 2: 1 } }, headers: { 'if-match': '*' } });
  expect(refused).toMatchObject({ status: 503, body: { code: 'STORAGE_UNAVAILABLE' } });
  expect(await traffic(address, 'GET', { path: '/events' })).toMatchObject({ status: 503 });
  await storage?.whenReady();
  expect(await traffic(address, 'PUT', { body: { split: { 2: 1 } }, headers: { 'if-match': '*' } })).toMatchObject({
    status: 200,
  });
  expect(await shares(address)).toEqual({ 2: 100 });
});

it('a database that is not there keeps no server from serving', async () => {
  await using repository = await netRepository();
  const environment = { STORAGE: '1', DATABASE_URL: 'postgres://127.0.0.1:1/nothing' };
  await using server = await startReadyServer({ MODELS_DIR: repository.path, ...environment });
  expect(await shares(server.address)).toEqual({ 3: 100 });
});

it('a database that is silent keeps a server neither from being alive nor from its stop', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.number() }).parse(silent.address());
  await using repository = await netRepository();
  const environment = { STORAGE: '1', DATABASE_URL: `postgres://127.0.0.1:${port}/nothing` };
  const server = await startTestServer({ MODELS_DIR: repository.path, ...environment });
  const status = async (path: string) => (await fetch(new URL(path, server.address))).status;
  await expect.poll(() => server.registry.find('net')?.served?.state).toBe('READY');
  expect(await status('/health/live')).toBe(200);
  expect(await status('/health/ready')).toBe(503);
  await server.stop();
  // Else it had waited for the database, and said that it serves.
  expect(server.logLines.map(({ msg }) => msg)).not.toContainEqual(expect.stringMatching(/^inferd serves/));
  silent.close();
});

it('a key needs the scope admin, and the model', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await netRepository();
  await using keys = await temporaryKeyFile();
  const infer = await keys.add({ scopes: ['infer'] });
  const other = await keys.add({ scopes: ['admin'], models: ['iris'] });
  const admin = await keys.add({ scopes: ['admin'], models: ['net'], name: 'ops' });
  const environment = { MODELS_DIR: repository.path, API_KEYS_FILE: keys.file, ...database.environment };
  await using server = await startReadyServer(environment);
  await server.storage?.whenReady();
  const by = ({ key }: { key: string }) => ({ headers: { 'x-api-key': key }, body: { split: { 1: 1 } } });
  for (const method of ['PUT', 'DELETE'] as const) {
    for (const key of [infer, other]) {
      expect(await traffic(server.address, method, by(key))).toMatchObject({
        status: 403,
        body: { code: 'FORBIDDEN' },
      });
    }
    expect(await traffic(server.address, method)).toMatchObject({ status: 401 });
  }
  for (const path of ['', '/events']) {
    const headers = { 'x-api-key': other.key };
    expect(await traffic(server.address, 'GET', { headers, path })).toMatchObject({ status: 403 });
  }
  const who = { id: admin.id, name: 'ops' };
  expect(await traffic(server.address, 'PUT', by(admin))).toMatchObject({ status: 200, body: { changed_by: who } });
  const { body } = await traffic(server.address, 'GET', { headers: { 'x-api-key': admin.key }, path: '/events' });
  expect(body.events).toMatchObject([{ who }]);
});
