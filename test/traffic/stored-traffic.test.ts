import { describe, expect, it } from 'vitest';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { startReadyServer } from '../helpers/server.ts';
import { netRepository, shares, traffic } from './traffic-server.ts';

describe.each(databaseKinds)('stored traffic on %s', (kind) => {
  it('splits what names no version, from the answer on, and loads what it needs', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await netRepository();
    await using server = await startReadyServer({ MODELS_DIR: repository.path, ...database.environment });
    const { address, registry, storage } = server;
    await storage?.whenReady();
    expect(await traffic(address, 'GET')).toMatchObject({ status: 200, etag: null, body: { source: 'none' } });
    const split = { 1: 50, 2: 50 };
    const put = await traffic(address, 'PUT', { body: { split, why: 'a first try' } });
    expect(put).toMatchObject({ status: 200, body: { source: 'stored', traffic: { split }, changed_by: null } });
    expect(put.etag).toBe(`"${put.body.etag}"`);
    expect(Object.keys(await shares(address))).toEqual(['1', '2']);
    expect(registry.get('net').versions.map(({ version }) => version)).toEqual(['3', '2', '1']);

    const gone = await traffic(address, 'DELETE', { headers: { 'if-match': put.etag ?? '' } });
    expect(gone).toMatchObject({ status: 200, etag: null, body: { source: 'none' } });
    expect(await shares(address)).toEqual({ 3: 100 });
    await expect.poll(() => registry.get('net').versions.map(({ version }) => version)).toEqual(['3']);
    const { body } = await traffic(address, 'GET', { path: '/events' });
    expect(body.events).toMatchObject([
      { who: null, from: { split }, to: null, why: null },
      { who: null, from: null, to: { split }, why: 'a first try' },
    ]);
  });
});
