import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { temporaryKeyFile } from '../../helpers/keys.ts';
import { hasRedis, startRedis } from '../../helpers/redis.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

let repository: TemporaryFolder;

beforeAll(async () => {
  repository = await temporaryRepository('iris');
});

afterAll(() => repository[Symbol.asyncDispose]());

const start = (environment: Record<string, string>) =>
  startReadyServer({ MODELS_DIR: repository.path, ...environment });

const predict = (address: string, headers: Record<string, string> = {}) =>
  postJson(address, '/iris/predict', flower, headers);

async function statuses(count: number, send: () => Promise<{ status: number }>): Promise<number[]> {
  const answers: number[] = [];
  for (let i = 0; i < count; i += 1) answers.push((await send()).status);
  return answers;
}

describe('RATE_LIMIT_PER_MINUTE', () => {
  it('refuses what is more, with 429, Retry-After and the RateLimit headers', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '3' });
    const first = await predict(server.address);
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-limit')).toBe('3');
    expect(first.headers.get('ratelimit-remaining')).toBe('2');
    expect(Number(first.headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    expect(await statuses(3, () => predict(server.address))).toEqual([200, 200, 429]);

    const refused = await predict(server.address);
    expect(refused.body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(refused.headers.get('content-type')).toMatch(/problem\+json/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const protocol = await postJson(server.address, '/v2/models/iris/infer', {});
    expect(protocol).toMatchObject({ status: 429, body: { error: expect.any(String) } });
  });

  it('never holds for health', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '1' });
    const health = () => fetch(new URL('/health/live', server.address));
    expect(await statuses(5, health)).toEqual([200, 200, 200, 200, 200]);
  });

  it('is not evaded by X-Forwarded-For of a stranger, another route, or another letter case', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '2' });
    await statuses(2, () => predict(server.address));
    expect(await predict(server.address, { 'x-forwarded-for': '192.0.2.7' })).toMatchObject({ status: 429 });
    expect(await predict(server.address, { forwarded: 'for=192.0.2.7' })).toMatchObject({ status: 429 });
    for (const path of ['/models', '/MODELS', '/nowhere', '/v2/models/iris?x=1']) {
      expect((await fetch(new URL(path, server.address))).status, path).toBe(429);
    }
  });

  it('counts by the address that a trusted proxy gives, and not by what a client wrote before it', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '1', TRUST_PROXY: 'loopback' });
    const from = (addresses: string) => predict(server.address, { 'x-forwarded-for': addresses });
    expect(await from('192.0.2.1')).toMatchObject({ status: 200 });
    expect(await from('192.0.2.2')).toMatchObject({ status: 200 });
    expect(await from('203.0.113.5, 192.0.2.1')).toMatchObject({ status: 429 });
    // A subscriber has a whole IPv6 network to choose addresses from.
    expect(await from('2001:db8::1')).toMatchObject({ status: 200 });
    expect(await from('2001:db8::ffff:2')).toMatchObject({ status: 429 });
    expect(await from('2001:db8:0:1::1')).toMatchObject({ status: 200 });
  });

  it('counts each key by itself, by its own limit, and wrong keys by their address', async () => {
    await using keys = await temporaryKeyFile();
    const [normal, generous] = [await keys.add(), await keys.add({ limits: { ratePerMinute: 4 } })];
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '2', API_KEYS_FILE: keys.file });
    expect(await statuses(3, () => predict(server.address, bearer(normal.key)))).toEqual([200, 200, 429]);
    expect(await statuses(5, () => predict(server.address, bearer(generous.key)))).toEqual([200, 200, 200, 200, 429]);
    const guess = () => predict(server.address, bearer(`inferd_${normal.id}_${Math.random()}`));
    expect(await statuses(3, guess)).toEqual([401, 401, 429]);
  });

  it('of a key holds also when there is none for all', async () => {
    await using keys = await temporaryKeyFile();
    const [limited, free] = [await keys.add({ limits: { ratePerMinute: 1 } }), await keys.add()];
    await using server = await start({ API_KEYS_FILE: keys.file });
    expect(await statuses(2, () => predict(server.address, bearer(limited.key)))).toEqual([200, 429]);
    const answer = await predict(server.address, bearer(free.key));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('ratelimit-limit')).toBeNull();
  });
});

describe.skipIf(!hasRedis)('REDIS_URL', () => {
  it('lets instances count together, and nobody is refused while Redis is away', async () => {
    await using redis = await startRedis();
    const environment = { RATE_LIMIT_PER_MINUTE: '4', REDIS_URL: redis.url };
    await using one = await start(environment);
    await using other = await start(environment);
    expect(await statuses(2, () => predict(one.address))).toEqual([200, 200]);
    expect(await statuses(3, () => predict(other.address))).toEqual([200, 200, 429]);
    expect(await predict(one.address)).toMatchObject({ status: 429 });

    await redis[Symbol.asyncDispose]();
    await expect.poll(() => predict(one.address)).toMatchObject({ status: 200 });
    expect(await statuses(10, () => predict(other.address))).toEqual(Array(10).fill(200));
    const messages = () => one.logLines.map(({ msg }) => msg);
    await expect.poll(messages).toContainEqual(expect.stringMatching(/Redis is away/));
  });
});

describe('MAX_CONCURRENT_PER_CALLER', () => {
  /** A request whose body is still to come: it is under way until it ends. */
  async function openRequest({ address, app }: TestServer, headers: Record<string, string> = {}) {
    const arrived = once(app.server, 'request');
    const length = JSON.stringify(flower).length;
    const request = httpRequest(new URL('/iris/predict', address), {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': length, ...headers },
    });
    request.on('error', () => {});
    request.flushHeaders();
    const response = once(request, 'response').then(([answer]) => answer.resume().statusCode as number);
    response.catch(() => {});
    await arrived;
    return { response, finish: () => request.end(JSON.stringify(flower)), abort: () => request.destroy() };
  }

  it('refuses the next request until one has ended, however it ended', async () => {
    await using server = await start({ MAX_CONCURRENT_PER_CALLER: '2' });
    const [first, second] = [await openRequest(server), await openRequest(server)];
    const refused = await predict(server.address);
    expect(refused).toMatchObject({ status: 429, body: { code: 'TOO_MANY_AT_ONCE' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await fetch(new URL('/health/ready', server.address))).status).toBe(200);

    first.finish();
    expect(await first.response).toBe(200);
    await expect.poll(() => predict(server.address)).toMatchObject({ status: 200 });

    const third = await openRequest(server);
    expect(await predict(server.address)).toMatchObject({ status: 429 });
    second.abort();
    await expect.poll(() => predict(server.address)).toMatchObject({ status: 200 });
    third.abort();
  });

  it('is each key for itself, with a limit of its own if it has one', async () => {
    await using keys = await temporaryKeyFile();
    const [busy, idle] = [await keys.add({ limits: { concurrency: 1 } }), await keys.add()];
    await using server = await start({ API_KEYS_FILE: keys.file });
    const open = await openRequest(server, bearer(busy.key));
    expect(await predict(server.address, bearer(busy.key))).toMatchObject({ status: 429 });
    expect(await predict(server.address, bearer(idle.key))).toMatchObject({ status: 200 });
    open.finish();
    expect(await open.response).toBe(200);
  });
});
