import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { float, onnxModel } from '../helpers/onnx-model.ts';
import { hasRedis, type RedisProcess, startRedis } from '../helpers/redis.ts';
import { scrape } from '../helpers/scrape.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const value = { element: float, shape: ['n', 2] };
const model = (op: 'Add' | 'Mul') =>
  onnxModel({ inputs: { x: value }, outputs: { y: value }, nodes: [{ op, inputs: ['x', 'x'], outputs: ['y'] }] });

/** A repository of `double`, which adds or multiplies its input with itself, and of a graph over it; both share their answers. */
async function repositoryOf(op: 'Add' | 'Mul'): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  const cache = { ttlS: 60, shared: true };
  for (const name of ['double', 'flow']) await mkdir(join(folder.path, name, '1'), { recursive: true });
  await writeFile(join(folder.path, 'double', '1', 'model.onnx'), model(op));
  await writeFile(join(folder.path, 'double', 'model.json'), JSON.stringify({ cache }));
  const steps = [{ name: 'a', model: 'double' }];
  await writeFile(join(folder.path, 'flow', '1', 'graph.json'), JSON.stringify({ steps }));
  await writeFile(join(folder.path, 'flow', 'model.json'), JSON.stringify({ cache }));
  return folder;
}

async function ask({ address }: TestServer, x: readonly number[], name = 'double') {
  const { status, headers, body } = await postJson(address, `/models/${name}/predict`, { x: [x] });
  return { status, cache: headers.get('cache-status'), y: (body as { y?: number[][] }).y?.[0] };
}

const miss = 'inferd; fwd=miss; stored';
const hit = expect.stringMatching(/^inferd; hit; ttl=\d+$/);

describe.skipIf(!hasRedis)('answers that servers share', () => {
  let adding: TemporaryFolder;
  let multiplying: TemporaryFolder;

  beforeAll(async () => {
    adding = await repositoryOf('Add');
    multiplying = await repositoryOf('Mul');
  });

  afterAll(async () => {
    await adding[Symbol.asyncDispose]();
    await multiplying[Symbol.asyncDispose]();
  });

  const start = (repository: TemporaryFolder, { url }: RedisProcess, environment: Record<string, string> = {}) =>
    startReadyServer({
      MODELS_DIR: repository.path,
      REDIS_URL: url,
      // A busy machine must not look like a Redis that is away.
      CACHE_REDIS_TIMEOUT_MS: '5000',
      ...environment,
    });

  /** Lookups and writes in Redis by their end. */
  const counts = async ({ address }: TestServer, result: string) =>
    (await scrape(address)).value('inferd_cache_requests_total', { model: 'double', level: 'redis', result }) ?? 0;

  async function client({ url }: RedisProcess) {
    const redis = new Redis(url);
    return {
      redis,
      /** Resolves once Redis has so many keys. */
      hasKeys: (count: number) => expect.poll(() => redis.dbsize()).toBe(count),
      [Symbol.dispose]: () => redis.disconnect(),
    };
  }

  it('are those of equal files, of a graph too, and of no others', async () => {
    await using redis = await startRedis();
    using keys = await client(redis);
    await using one = await start(adding, redis);
    await using same = await start(adding, redis);
    await using other = await start(multiplying, redis);
    expect(await ask(one, [3, 4])).toEqual({ status: 200, cache: miss, y: [6, 8] });
    await keys.hasKeys(1);
    expect(await ask(same, [3, 4])).toEqual({ status: 200, cache: hit, y: [6, 8] });
    expect(await ask(other, [3, 4])).toEqual({ status: 200, cache: miss, y: [9, 16] });
    expect(await ask(other, [3, 4])).toEqual({ status: 200, cache: hit, y: [9, 16] });
    expect(await ask(one, [3, 4], 'flow')).toMatchObject({ cache: miss, y: [6, 8] });
    await keys.hasKeys(3);
    expect(await ask(same, [3, 4], 'flow')).toMatchObject({ cache: hit, y: [6, 8] });
    expect(await ask(other, [3, 4], 'flow')).toMatchObject({ cache: miss, y: [9, 16] });
    // What another server had is in memory from then on.
    expect(await counts(same, 'hit')).toBe(1);
    expect(await ask(same, [3, 4])).toMatchObject({ cache: hit });
    expect(await counts(same, 'hit')).toBe(1);
    for (const key of await keys.redis.keys('*')) expect(key).toMatch(/^inferd:cache:[0-9a-f]{16}:[0-9a-f]{64}$/);
  });

  it('are forgotten by DELETE on one server for all, those of other models excepted', async () => {
    await using redis = await startRedis();
    using keys = await client(redis);
    await using one = await start(adding, redis);
    await using other = await start(multiplying, redis);
    for (const server of [one, other]) await ask(server, [1, 2]);
    await keys.hasKeys(2);
    const response = await fetch(new URL('/models/double/cache', one.address), { method: 'DELETE' });
    expect(await response.json()).toEqual({ entries: 1, shared_entries: 1 });
    await keys.hasKeys(1);
    expect(await ask(one, [1, 2])).toMatchObject({ cache: miss });
  });

  it('are misses after FLUSHALL, and where a value is garbage', async () => {
    await using redis = await startRedis();
    using keys = await client(redis);
    await using one = await start(adding, redis);
    for (const x of [1, 2, 3, 4, 5]) await ask(one, [x, x]);
    await keys.hasKeys(5);
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = await keys.redis.keys('*');
    await keys.redis.set(first, 'garbage', 'PX', 60_000);
    await keys.redis.set(second, (await keys.redis.getBuffer(third)) ?? '', 'PX', 60_000);
    await keys.redis.setrange(third, 40, 'x');
    await keys.redis.persist(fourth);
    await keys.redis.del(fifth);
    await keys.redis.rpush(fifth, 'a', 'list');
    await using same = await start(adding, redis);
    for (const x of [1, 2, 3, 4, 5]) expect(await ask(same, [x, x])).toMatchObject({ cache: miss, y: [2 * x, 2 * x] });
    expect(await counts(same, 'miss')).toBe(5);
    expect(await counts(same, 'error')).toBe(0);
    await keys.redis.flushall();
    await using later = await start(adding, redis);
    expect(await ask(later, [1, 1])).toMatchObject({ cache: miss, y: [2, 2] });
  });

  it('are kept by each server alone while Redis is away, and shared again when it is back', async () => {
    await using first = await startRedis();
    await using one = await start(adding, first);
    await ask(one, [1, 1]);
    await first[Symbol.asyncDispose]();
    for (let x = 10; x < 20; x += 1) expect(await ask(one, [x, x])).toMatchObject({ status: 200, cache: miss });
    expect(await ask(one, [1, 1])).toMatchObject({ cache: hit });
    expect(await counts(one, 'bypass')).toBeGreaterThan(0);
    const messages = () => one.logLines.map(({ msg }) => msg);
    expect(messages()).toContainEqual(expect.stringMatching(/^Redis is away: each server keeps/));

    await using second = await startRedis({ port: first.port });
    using keys = await client(second);
    let x = 100;
    const sharedAgain = async () => {
      x += 1;
      await ask(one, [x, x]);
      return keys.redis.dbsize();
    };
    await expect.poll(sharedAgain, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(messages()).toContainEqual(expect.stringMatching(/^Redis is back/));
  });

  it('delay three requests by the time-out, and then none, while Redis hangs', async () => {
    await using redis = await startRedis();
    await using one = await start(adding, redis, { CACHE_REDIS_TIMEOUT_MS: '50' });
    await expect.poll(async () => (await ask(one, [Math.random(), 0])) && counts(one, 'miss')).toBeGreaterThan(0);
    const before = await counts(one, 'error');
    redis.child.kill('SIGSTOP');
    // Its rests are longer than what these requests take together.
    for (let x = 0; x < 3; x += 1) expect(await ask(one, [x, 1])).toMatchObject({ status: 200, cache: miss });
    for (let x = 0; x < 10; x += 1) expect(await ask(one, [x, 2])).toMatchObject({ status: 200, cache: miss });
    const failed = (await counts(one, 'error')) - before;
    expect(failed).toBeGreaterThanOrEqual(3);
    expect(failed).toBeLessThanOrEqual(5);
    expect(await counts(one, 'bypass')).toBeGreaterThanOrEqual(8);
    redis.child.kill('SIGCONT');
  });

  it('are not written to a Redis that is full, and requests know nothing of it', async () => {
    await using redis = await startRedis({ options: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'] });
    await using one = await start(adding, redis);
    expect(await ask(one, [1, 1])).toMatchObject({ status: 200, cache: miss, y: [2, 2] });
    await expect.poll(() => counts(one, 'error')).toBe(1);
    expect(await ask(one, [1, 1])).toMatchObject({ cache: hit });
    expect(await ask(one, [2, 2])).toMatchObject({ status: 200, cache: miss, y: [4, 4] });
  });
});

describe('a shared cache without REDIS_URL', () => {
  it('is one of each server alone, and the log says so', async () => {
    await using repository = await repositoryOf('Add');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(server.logLines.map(({ msg }) => msg)).toContain(
      'cache.shared of model.json needs REDIS_URL: each server keeps answers for itself',
    );
    expect(await ask(server, [1, 2])).toMatchObject({ cache: miss });
    expect(await ask(server, [1, 2])).toMatchObject({ cache: hit });
  });
});
