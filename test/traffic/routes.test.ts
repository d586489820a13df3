import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { databaseKinds } from '../helpers/database.ts';
import { sharedStorage } from '../helpers/shared-storage.ts';
import { trafficProcess } from './traffic-process.ts';

const split = { 1: 50, 2: 50 };
const ofManifest = { traffic: { split: { 2: 1 } } };

describe.each(databaseKinds)('the traffic of a model on %s', (kind) => {
  const storage = sharedStorage(kind);

  it('is that of model.json until one is stored, and again when that is ended', async () => {
    await using process = await trafficProcess(storage(), { manifest: ofManifest });
    expect(await process.ask('GET')).toMatchObject({
      status: 200,
      etag: undefined,
      body: { source: 'model.json', traffic: { split: { 2: 1 }, stick: ['header:x-routing-key', 'key'] } },
    });
    expect(await process.answering()).toEqual([2]);
    const put = await process.ask('PUT', { body: { split: { 1: 1 }, stick: ['key'] } });
    expect(put).toMatchObject({
      status: 200,
      body: { source: 'stored', traffic: { split: { 1: 1 }, stick: ['key'] } },
    });
    expect(put.etag).toBe(`"${put.body.etag}"`);
    expect(await process.ask('GET')).toEqual(put);
    expect(await process.answering()).toEqual([1]);
    expect(await process.ask('DELETE', { ifMatch: '*' })).toMatchObject({ body: { source: 'model.json' } });
    expect(await process.answering()).toEqual([2]);
    await process.until(() => process.loaded()?.join() === '3 READY,2 READY');
  });

  it('is changed only by who knows what is stored', async () => {
    await using process = await trafficProcess(storage());
    const first = await process.ask('PUT', { body: { split } });
    const blind = await process.ask('PUT', { body: { split: { 1: 1 } } });
    expect(blind).toMatchObject({ status: 409, etag: first.etag, body: { code: 'TRAFFIC_CONFLICT' } });
    expect(blind.body.detail).toContain(first.body.etag);
    expect(await process.ask('DELETE')).toMatchObject({ status: 409, etag: first.etag });
    expect(await process.ask('PUT', { body: { split }, ifMatch: '"other"' })).toMatchObject({ status: 409 });
    expect(await process.ask('PUT', { body: { split }, ifMatch: `W/${first.etag}` })).toMatchObject({ status: 409 });
    const second = await process.ask('PUT', { body: { split: { 2: 1 } }, ifMatch: `"x", ${first.etag}` });
    expect(second.status).toBe(200);
    expect(second.etag).not.toBe(first.etag);
    expect(await process.ask('PUT', { body: { split: { 1: 1 } }, ifMatch: '*' })).toMatchObject({ status: 200 });
    expect(await process.ask('DELETE', { ifMatch: first.etag ?? '' })).toMatchObject({ status: 409 });
    expect(await process.ask('DELETE', { ifMatch: '*' })).toMatchObject({ status: 200 });
    expect(await process.ask('DELETE')).toMatchObject({ status: 200, body: { source: 'none' } });
    const late = await process.ask('PUT', { body: { split }, ifMatch: first.etag ?? '' });
    expect(late).toMatchObject({ status: 409, etag: undefined });
  });

  it('gives way to one of several that change it at once, in one process and in two', async () => {
    await using here = await trafficProcess(storage());
    await using there = await trafficProcess(storage());
    const bodies = [{ 1: 1 }, { 2: 1 }, { 3: 1 }].map((weights) => ({ split: weights }));
    for (const process of [here, there]) {
      const { etag } = await process.ask('GET');
      const ifMatch = etag === undefined ? {} : { ifMatch: etag };
      const answers = await Promise.all([
        ...bodies.map((body) => here.ask('PUT', { body, ...ifMatch })),
        ...bodies.map((body) => there.ask('PUT', { body, ...ifMatch })),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
      const [winner] = answers.filter(({ status }) => status === 200);
      for (const one of [here, there]) {
        expect((await one.ask('GET')).body).toEqual(winner?.body);
        await expect.poll(() => one.answering()).toEqual(Object.keys(winner?.body.traffic.split).map(Number));
      }
    }
    const { body } = await here.ask('GET', { path: '/events' });
    expect(body.events).toHaveLength(2);
    expect(body.events[0].from).toEqual(body.events[1].to);
  });

  it.each([
    [{ split: { 1: 0, 2: 0 } }, 'split', 'expected a weight above 0'],
    [{ split: { 1: -1 } }, 'split.1', '>=0'],
    [{ split: { 1: 1e308 } }, 'split.1', '<=1000000'],
    [{ split: { 1: '1' } }, 'split.1', 'expected number'],
    [{ split: {} }, 'split', 'expected a weight above 0'],
    [{ split: { latest: 1 } }, 'split.latest', 'expected the number of a version'],
    [{ split: { 1: 1 }, stick: ['cookie'] }, 'stick.0', 'expected "key" or "header:'],
    [{ split: { 1: 1 }, shares: 1 }, 'shares', 'Unknown field'],
    [{}, 'split', 'Required'],
    [{ split: { 1: 1, 7: 0, 9: 1 } }, 'split.7', 'there is no such version on disk; there are: 3, 2, 1'],
  ])('refuses %j', async (body, place, expected) => {
    await using process = await trafficProcess(storage());
    const answer = await process.ask('PUT', { body });
    expect(answer).toMatchObject({ status: 422, body: { code: 'TRAFFIC_INVALID' } });
    expect(answer.body.detail).toContain(`body.${place}`);
    expect(answer.body.detail).toContain(expected);
    expect(answer.body.errors[0].location.join('.')).toBe(`body.${place}`);
    expect(await process.ask('GET')).toMatchObject({ body: { source: 'none' } });
    expect(process.loaded()).toEqual(['3 READY']);
  });

  it('refuses a number that is none', async () => {
    await using process = await trafficProcess(storage());
    expect((await process.ask('PUT', { body: '{"split":{"1":NaN}}' })).status).toBe(400);
  });

  it('refuses versions that cannot stand in for each other, and lets go of them', async () => {
    const wide = [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 3] }];
    const signature = { inputs: wide, outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 3] }] };
    const fails = new AppError('MODEL_LOAD_FAILED', { message: 'it is no model' });
    await using process = await trafficProcess(storage(), { fakes: { 1: { signature }, 2: { fails } } });
    const answer = await process.ask('PUT', { body: { split: { 1: 1, 2: 1, 3: 1 } } });
    expect(answer).toMatchObject({
      status: 422,
      body: {
        code: 'TRAFFIC_INVALID',
        errors: [
          {
            location: ['body', 'split', '1'],
            message: expect.stringContaining('other inputs or outputs than version 3'),
          },
          { location: ['body', 'split', '2'], message: 'version 2 is not ready: it is no model' },
        ],
      },
    });
    await process.until(() => process.loaded()?.join() === '3 READY');
  });

  it('is not changed by versions that do not load in time', async () => {
    await using process = await trafficProcess(storage(), {
      manifest: { loadTimeoutMs: 5000 },
      fakes: { 1: { hangs: true } },
    });
    const answer = process.ask('PUT', { body: { split: { 1: 1 } } });
    await expect.poll(() => process.loaded()).toContain('1 LOADING');
    await process.clock.advance(5000);
    expect(await answer).toMatchObject({
      status: 503,
      body: { code: 'MODEL_NOT_READY', detail: expect.stringContaining('loadTimeoutMs, which is 5000 ms') },
    });
    await process.until(() => process.loaded()?.join() === '3 READY');
    expect(await process.ask('GET')).toMatchObject({ body: { source: 'none' } });
  });

  it('is followed by graphs that name no version, which let go of its versions when it ends', async () => {
    await using process = await trafficProcess(storage());
    await process.graph('g', { steps: [{ name: 's', model: 'a' }] });
    await process.scan();
    await process.ask('PUT', { body: { split } });
    await process.until(() => process.registry.dependentsOn('a', '1').length > 0);
    expect(await process.answering('g')).toEqual([1, 2]);
    await process.ask('DELETE', { ifMatch: '*' });
    await process.until(() => process.loaded()?.join() === '3 READY');
    expect(process.registry.dependentsOn('a', '3')).toEqual(['g']);
  });

  it('stays when the repository is read anew, and says nothing of files that have changed', async () => {
    await using process = await trafficProcess(storage());
    await process.model('a', '4', { factor: 4 });
    await process.ask('PUT', { body: { split } });
    // Version 4 is on disk, and nobody has asked to load it.
    expect(process.loaded()).toEqual(['3 READY', '2 READY', '1 READY']);
    await process.scan();
    expect(process.loaded()).toEqual(['4 READY', '2 READY', '1 READY']);
    expect(await process.answering()).toEqual([1, 2]);
    await process.control.load('a');
    expect(await process.answering()).toEqual([1, 2]);
  });

  it('says who changed it, when, why, from what to what; the newest first', async () => {
    await using process = await trafficProcess(storage());
    for (const weight of [1, 2, 3]) {
      await process.ask('PUT', { body: { split: { 1: weight }, why: `step ${weight}` }, ifMatch: '*' });
    }
    await process.ask('DELETE', { ifMatch: '*', path: '?why=it%20is%20over' });
    const { body } = await process.ask('GET', { path: '/events?limit=2' });
    expect(body.events).toMatchObject([
      { who: null, from: { split: { 1: 3 } }, to: null, why: 'it is over' },
      { from: { split: { 1: 2 } }, to: { split: { 1: 3 } }, why: 'step 3' },
    ]);
    expect(Date.parse(body.events[0].at)).toBeGreaterThanOrEqual(Date.parse(body.events[1].at));
    expect((await process.ask('GET', { path: '/events?limit=0' })).status).toBe(422);
  });

  it('outlives its process, and its model', async () => {
    {
      await using before = await trafficProcess(storage());
      await before.ask('PUT', { body: { split } });
    }
    await using process = await trafficProcess(storage());
    expect(await process.answering()).toEqual([1, 2]);
    await process.registry.unload('a');
    expect(await process.ask('GET')).toMatchObject({ body: { source: 'stored', traffic: { split } } });
    expect(await process.ask('PUT', { body: { split }, ifMatch: '*' })).toMatchObject({
      status: 404,
      body: { code: 'MODEL_NOT_FOUND' },
    });
    await process.scan();
    expect(process.loaded()).toEqual(['3 READY', '2 READY', '1 READY']);
    expect(await process.answering()).toEqual([1, 2]);
    await process.registry.unload('a');
    expect(await process.ask('DELETE', { ifMatch: '*' })).toMatchObject({ status: 200, body: { source: 'none' } });
    expect((await process.ask('GET')).status).toBe(404);
  });
});

describe('without a storage', () => {
  it('tells what model.json says, and which setting is needed to change it', async () => {
    await using process = await trafficProcess(undefined, { manifest: ofManifest });
    expect(await process.ask('GET')).toMatchObject({ status: 200, body: { source: 'model.json' } });
    const unavailable = {
      status: 503,
      body: { code: 'STORAGE_UNAVAILABLE', detail: expect.stringContaining('STORAGE=1') },
    };
    expect(await process.ask('PUT', { body: { split } })).toMatchObject(unavailable);
    expect(await process.ask('DELETE')).toMatchObject(unavailable);
    expect(await process.ask('GET', { path: '/events' })).toMatchObject(unavailable);
  });
});
