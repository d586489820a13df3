import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeGraph, writeMembers } from '../graphs/write-graph-models.ts';
import { cachedRepository, changeManifest } from '../helpers/cached-model.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { grpcClient } from '../helpers/grpc-client.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { scrape } from '../helpers/scrape.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const miss = 'inferd; fwd=miss; stored';
const hit = expect.stringMatching(/^inferd; hit; ttl=\d+$/);

const ask = async ({ address }: TestServer, features: readonly number[], headers: Record<string, string> = {}) => {
  const answer = await postJson(address, '/models/iris/predict', { features: [features] }, headers);
  return answer.headers.get('cache-status');
};

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function loadAnew({ address }: TestServer, name: string): Promise<void> {
  const response = await fetch(new URL(`/v2/repository/models/${name}/load`, address), { method: 'POST' });
  expect(response.status).toBe(200);
}

async function getJson(address: string, path: string): Promise<unknown> {
  return (await fetch(new URL(path, address))).json();
}

describe('a model with a cache', () => {
  it('is forgotten when it is loaded anew under the same number', async () => {
    await using repository = await cachedRepository({}, 'iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect([await ask(server, [1, 2, 3, 4]), await ask(server, [1, 2, 3, 4])]).toEqual([miss, hit]);
    await loadAnew(server, 'iris');
    expect([await ask(server, [1, 2, 3, 4]), await ask(server, [1, 2, 3, 4])]).toEqual([miss, hit]);
  });

  it('is forgotten by DELETE, of the version that is named alone, by keys with the scope admin', async () => {
    await using repository = await cachedRepository({}, 'iris');
    await using keys = await temporaryKeyFile();
    const [user, admin] = [await keys.add(), await keys.add({ scopes: ['admin', 'infer'] })];
    await using server = await startReadyServer({ MODELS_DIR: repository.path, API_KEYS_FILE: keys.file });
    const forget = (query: string, key: string) =>
      fetch(new URL(`/models/iris/cache${query}`, server.address), { method: 'DELETE', headers: bearer(key) });
    for (const x of [1, 2, 3]) await ask(server, [x, 0, 0, 0], bearer(user.key));
    expect((await forget('', user.key)).status).toBe(403);
    expect((await forget('?version=9', admin.key)).status).toBe(404);
    expect(await ask(server, [1, 0, 0, 0], bearer(user.key))).toEqual(hit);
    const response = await forget('?version=1', admin.key);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ entries: 3, shared_entries: 0 });
    expect(await ask(server, [1, 0, 0, 0], bearer(user.key))).toBe(miss);
    expect(await (await forget('', admin.key)).json()).toEqual({ entries: 1, shared_entries: 0 });
    const unknown = await fetch(new URL('/models/none/cache', server.address), {
      method: 'DELETE',
      headers: bearer(admin.key),
    });
    expect(unknown.status).toBe(404);
  });

  it('answers each key from what the key has asked itself, with "scope": "key"', async () => {
    await using repository = await cachedRepository({ scope: 'key' }, 'iris');
    await using keys = await temporaryKeyFile();
    const [one, other] = [await keys.add(), await keys.add()];
    await using server = await startReadyServer({ MODELS_DIR: repository.path, API_KEYS_FILE: keys.file });
    expect(await ask(server, [1, 2, 3, 4], bearer(one.key))).toBe(miss);
    expect(await ask(server, [1, 2, 3, 4], bearer(one.key))).toEqual(hit);
    expect(await ask(server, [1, 2, 3, 4], bearer(other.key))).toBe(miss);
    expect(await ask(server, [1, 2, 3, 4], bearer(other.key))).toEqual(hit);
  });

  it('has figures in GET /models, in the statistics and in the metrics', async () => {
    await using repository = await cachedRepository({}, 'iris', 'titanic');
    const settings = { MODELS_DIR: repository.path, TRITON_METRICS: 'on', GRPC_PORT: '0' };
    await using server = await startReadyServer(settings);
    for (const x of [1, 1, 1, 2]) await ask(server, [x, 0, 0, 0]);
    await ask(server, [1, 0, 0, 0], { 'cache-control': 'no-store' });
    expect(await getJson(server.address, '/models/iris')).toMatchObject({
      versions: [{ cache: { entries: 2, bytes: expect.any(Number), hits: 2, misses: 2 } }],
    });
    const statistics = {
      cache_hit: { count: 2, ns: expect.any(Number) },
      cache_miss: { count: 2, ns: expect.any(Number) },
    };
    expect(await getJson(server.address, '/v2/models/iris/stats')).toMatchObject({
      model_stats: [{ inference_stats: { success: { count: 5 }, ...statistics } }],
    });
    using client = grpcClient(server.grpcPort);
    expect(await client.call('ModelStatistics', { name: 'iris' })).toMatchObject({
      model_stats: [{ inference_stats: { cache_hit: { count: '2' }, cache_miss: { count: '2' } } }],
    });
    const metrics = await scrape(server.address);
    const of = { model: 'iris', version: '1' };
    const lookups = (result: string) =>
      metrics.value('inferd_cache_requests_total', { ...of, level: 'memory', result });
    expect([lookups('hit'), lookups('miss'), lookups('bypass'), lookups('collapsed')]).toEqual([2, 2, 1, undefined]);
    expect(metrics.value('inferd_cache_lookup_duration_seconds_count', of)).toBe(4);
    expect(metrics.value('inferd_cache_entries', of)).toBe(2);
    expect(metrics.value('inferd_cache_bytes', of)).toBeGreaterThan(0);
    expect(metrics.value('inferd_cache_entries', { model: 'titanic' })).toBe(0);
    expect(metrics.value('nv_cache_num_hits_per_model', of)).toBe(2);
    expect(metrics.value('nv_cache_num_misses_per_model', of)).toBe(2);
    expect(metrics.value('nv_cache_hit_duration_per_model', of)).toBeGreaterThan(0);
    expect(metrics.value('nv_cache_miss_duration_per_model', of)).toBeGreaterThan(0);
  });

  it('counts what had to go for want of room', async () => {
    await using repository = await cachedRepository({}, 'iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path, CACHE_MEMORY_BYTES: '2500' });
    for (let x = 0; x < 20; x += 1) await ask(server, [x, 0, 0, 0]);
    const metrics = await scrape(server.address);
    expect(metrics.value('inferd_cache_evictions_total', { model: 'iris', reason: 'size' })).toBeGreaterThan(10);
    expect(metrics.value('inferd_cache_bytes', { model: 'iris' })).toBeLessThanOrEqual(2500);
  });

  it('says over gRPC what the cache did, in the metadata and in each message of a stream', async () => {
    await using repository = await cachedRepository({}, 'iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path, GRPC_PORT: '0' });
    using client = grpcClient(server.grpcPort);
    const contents = { fp32_contents: [1, 2, 3, 4] };
    const request = { model_name: 'iris', inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], contents }] };
    const first = client.begin('ModelInfer', request);
    expect((await first.metadata).get('cache-status')).toEqual([miss]);
    // The same rows, whichever protocol they came by.
    expect(await ask(server, [1, 2, 3, 4])).toEqual(hit);
    const stream = client.stream();
    const answer = new Promise<{ infer_response?: { parameters?: unknown } }>((resolve) =>
      stream.once('data', resolve),
    );
    stream.write(request);
    const { infer_response } = await answer;
    stream.end();
    expect(infer_response?.parameters).toMatchObject({ cache_status: { string_param: hit } });
    const fresh = client.call('ModelInfer', request, { metadata: { 'cache-control': 'no-store' } });
    expect(await fresh).toMatchObject({ model_name: 'iris' });
    expect(await getJson(server.address, '/models/iris')).toMatchObject({
      versions: [{ cache: { hits: 2, misses: 1 } }],
    });
  });
});

describe('a graph with a cache', () => {
  it('forgets what it answered before a member was loaded anew', async () => {
    await using repository = await temporaryFolder();
    await writeMembers(repository.path);
    const graph = { steps: [{ name: 'a', model: 'scaler' }] };
    await writeGraph(repository.path, 'flow', graph, { manifest: { cache: {} } });
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    const askGraph = async () =>
      (await postJson(server.address, '/models/flow/predict', { x: [[100, 30]] })).headers.get('cache-status');
    expect([await askGraph(), await askGraph()]).toEqual([miss, hit]);
    await loadAnew(server, 'scaler');
    expect([await askGraph(), await askGraph()]).toEqual([miss, hit]);
  });

  it('is not loaded where its rules, or those of a graph that it asks, read headers', async () => {
    await using repository = await temporaryFolder();
    await writeMembers(repository.path);
    const arm = (model: string) => ({ model, in: { scaled: 'prepare.scaled' } });
    const graph = {
      headers: ['x-tier'],
      steps: [
        { name: 'prepare', model: 'scaler' },
        {
          name: 'answer',
          switch: [{ when: "headers['x-tier'] == 'gold'", ...arm('tree') }],
          otherwise: arm('net'),
        },
      ],
    };
    await writeGraph(repository.path, 'plain', graph);
    await writeGraph(repository.path, 'cached', graph, { manifest: { cache: {} } });
    const outer = { steps: [{ name: 'a', model: 'plain' }] };
    await writeGraph(repository.path, 'outer', outer, { manifest: { cache: {} } });
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await getJson(server.address, '/models/plain')).toMatchObject({ state: 'READY' });
    for (const name of ['cached', 'outer']) {
      expect(await getJson(server.address, `/models/${name}`)).toMatchObject({
        state: 'UNAVAILABLE',
        reason: expect.stringMatching(/cannot have a cache.*headers.*give its members a cache/),
      });
    }
  });

  it('whose members have one asks them for what they have not', async () => {
    await using repository = await temporaryFolder();
    await writeMembers(repository.path);
    await changeManifest(join(repository.path, 'scaler'), { cache: {} });
    const graph = { steps: [{ name: 'a', model: 'scaler' }] };
    await writeGraph(repository.path, 'flow', graph);
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    for (let times = 0; times < 3; times += 1) {
      await postJson(server.address, '/models/flow/predict', { x: [[100, 30]] });
    }
    expect(await getJson(server.address, '/models/scaler')).toMatchObject({
      versions: [{ cache: { hits: 2, misses: 1 } }],
    });
  });
});
