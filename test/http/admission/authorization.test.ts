import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { type KeyFile, temporaryKeyFile } from '../../helpers/keys.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const passenger = { pclass: 1, sex: 'female' };
const plainKey = 'a-plain-key-of-the-environment';

let repository: TemporaryFolder;
let keyFile: KeyFile;
let server: TestServer;
let keys: Record<'infer' | 'irisOnly' | 'gone' | 'irisOrGone' | 'admin' | 'irisAdmin' | 'metrics', string>;
const routes: RouteOptions[] = [];

const collect = (message: unknown) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', (route) => void routes.push(route));
};

beforeAll(async () => {
  repository = await temporaryRepository('iris', 'titanic');
  keyFile = await temporaryKeyFile();
  const key = async (...options: Parameters<KeyFile['add']>) => (await keyFile.add(...options)).key;
  keys = {
    infer: await key(),
    irisOnly: await key({ models: ['iris'] }),
    gone: await key({ scopes: ['infer', 'admin'], models: ['gone'] }),
    irisOrGone: await key({ models: ['iris', 'gone'] }),
    admin: await key({ scopes: ['admin'] }),
    irisAdmin: await key({ scopes: ['infer', 'admin'], models: ['iris'] }),
    metrics: await key({ scopes: ['metrics'] }),
  };
  const environment = { MODELS_DIR: repository.path, API_KEYS: plainKey, API_KEYS_FILE: keyFile.file };
  subscribe('fastify.initialization', collect);
  server = await startReadyServer(environment);
  unsubscribe('fastify.initialization', collect);
});

afterAll(async () => {
  await server.stop();
  await keyFile[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const statusOf = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  (await fetch(new URL(path, server.address), { method, headers })).status;

/** Every route as it can be asked for, with its scope. */
const declared = () =>
  routes.flatMap(({ method, url, config }) =>
    [method].flat().map((one) => ({
      method: one,
      path: url
        .replaceAll(/(?<!:):(\w+)(\([^)]*\))?/g, (_, name) => (name === 'version' ? '1' : 'iris'))
        .replace('::', ':')
        .replace('*', 'x'),
      scope: config?.scope,
      route: `${one} ${url}`,
    })),
  );

describe('the scope of every route', () => {
  it('is declared', () => {
    expect(declared().length).toBeGreaterThan(20);
    expect(declared().filter(({ scope }) => scope === undefined)).toEqual([]);
  });

  it('is open for health and nothing else', () => {
    const open = declared().filter(({ scope, method }) => scope === 'open' && method === 'GET');
    expect(open.filter(({ route }) => !/^GET (\/v2)?\/health(\/live|\/ready)?$|^GET \/(ping)?$/.test(route))).toEqual(
      [],
    );
    expect(open.map(({ route }) => route)).toEqual(
      expect.arrayContaining(['GET /health/live', 'GET /v2/health/ready']),
    );
  });

  it('is admin for what changes what is served', () => {
    const changing = declared().filter(({ route }) => /repository|reload|unload|\/load$|settings/.test(route));
    expect(changing.length).toBeGreaterThanOrEqual(3);
    expect(changing.filter(({ scope }) => scope !== 'admin')).toEqual([]);
  });

  it('is for documentation only where documentation is', () => {
    const docs = declared().filter(({ scope }) => scope === 'docs');
    expect(docs.filter(({ path }) => !/^\/(docs|openapi\.json)/.test(path))).toEqual([]);
  });

  it('is asked for by every route that is not open', async () => {
    for (const { method, path, scope, route } of declared()) {
      if (scope === 'open' || scope === 'docs') continue;
      expect(await statusOf(path, {}, method), route).toBe(401);
      expect(await statusOf(path, bearer('inferd_00000000_wrong'), method), route).toBe(401);
      const foreign = scope === 'metrics' ? keys.infer : keys.metrics;
      expect(await statusOf(path, bearer(foreign), method), route).toBe(403);
    }
  });

  it('refuses a route without one', async () => {
    const stop = (message: unknown) => {
      const { fastify } = message as { fastify: FastifyInstance };
      fastify.after(() => void fastify.get('/forgotten', () => 'secret'));
    };
    subscribe('fastify.initialization', stop);
    await using careless = await startReadyServer({ MODELS_DIR: repository.path, API_KEYS: plainKey });
    unsubscribe('fastify.initialization', stop);
    const response = await fetch(new URL('/forgotten', careless.address), { headers: bearer(plainKey) });
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain('secret');
  });
});

describe('a request without a valid key', () => {
  it('is answered with 401, a problem and WWW-Authenticate, and its body is not read', async () => {
    const { status, headers, body } = await postJson(server.address, '/iris/predict', 'not json');
    expect(status).toBe(401);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="inferd"');
    expect(body).toMatchObject({ code: 'UNAUTHENTICATED', status: 401, type: '/errors/unauthenticated' });
  });

  it('is answered by a protocol in its own form', async () => {
    const { status, headers, body } = await postJson(server.address, '/v2/models/iris/infer', {});
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="inferd"');
    expect(body).toEqual({ error: expect.stringMatching(/API key/) });
    const forbidden = await postJson(server.address, '/v2/models/iris/infer', {}, bearer(keys.metrics));
    expect(forbidden).toMatchObject({ status: 403, body: { error: expect.stringMatching(/scope/) } });
  });

  it.each([
    ['/health/live', 200],
    ['/health/ready', 200],
    ['/docs', 200],
    ['/openapi.json', 200],
    ['/nowhere', 404],
  ])('gets %s', async (path, status) => {
    expect(await statusOf(path)).toBe(status);
  });

  it('does not get the documentation when that is closed', async () => {
    const environment = { MODELS_DIR: repository.path, API_KEYS: plainKey, DOCS_PUBLIC: '0' };
    await using closed = await startReadyServer(environment);
    for (const path of ['/docs', '/docs/static/index.html', '/docs/json', '/openapi.json']) {
      const url = new URL(path, closed.address);
      expect((await fetch(url)).status, path).toBe(401);
      expect((await fetch(url, { headers: bearer(plainKey) })).status, path).toBe(200);
    }
  });

  it.each([
    '/IRIS/predict',
    '/iris//predict',
    '//iris/predict',
    '/iris/predict/',
    '/iris%2fpredict',
    '/./iris/predict',
    '/predict',
  ])('does not get in by the path %s', async (path) => {
    const response = await server.app.inject({ method: 'POST', url: path, payload: flower });
    expect([401, 404, 405]).toContain(response.statusCode);
    expect(response.body).not.toContain('setosa');
  });

  it('does not get in by another method, or by a header that names one', async () => {
    expect(await statusOf('/models', {}, 'HEAD')).toBe(401);
    expect(await statusOf('/models', { 'x-http-method-override': 'OPTIONS' })).toBe(401);
    expect(await statusOf('/models', { 'x-original-url': '/health/live' })).toBe(401);
    expect(await statusOf('/models?x-api-key=a-plain-key-of-the-environment')).toBe(401);
  });
});

describe('a key', () => {
  it.each(['authorization', 'x-api-key'])('is taken from %s', async (header) => {
    const value = header === 'authorization' ? `Bearer ${keys.infer}` : keys.infer;
    expect(await postJson(server.address, '/iris/predict', flower, { [header]: value })).toMatchObject({
      status: 200,
      body: { species: 'setosa' },
    });
  });

  it('of the environment may do everything', async () => {
    expect(await statusOf('/v2/repository/index', bearer(plainKey), 'POST')).toBe(200);
    expect(await postJson(server.address, '/titanic/predict', passenger, bearer(plainKey))).toMatchObject({
      status: 200,
    });
  });

  it('without the scope is answered with 403', async () => {
    expect(await postJson(server.address, '/v2/repository/models/iris/unload', {}, bearer(keys.infer))).toMatchObject({
      status: 403,
    });
    expect(await postJson(server.address, '/iris/predict', flower, bearer(keys.admin))).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN', detail: expect.stringMatching(/scope "infer"/) },
    });
    expect(await postJson(server.address, '/iris/predict', flower, bearer(keys.infer))).toMatchObject({ status: 200 });
  });

  it('for one model may not touch another, in whatever way', async () => {
    const headers = bearer(keys.irisOnly);
    expect(await postJson(server.address, '/iris/predict', flower, headers)).toMatchObject({ status: 200 });
    for (const path of [
      '/titanic/predict',
      '/titanic/predict/batch',
      '/v2/models/titanic/infer',
      '/v2/models/titanic/versions/1/infer',
      '/v2/models/%74itanic/infer',
    ]) {
      expect(await postJson(server.address, path, passenger, headers), path).toMatchObject({ status: 403 });
    }
    for (const path of [
      '/models/titanic',
      '/models/titanic/versions/1',
      '/v2/models/titanic',
      '/v2/models/titanic/stats',
    ]) {
      expect(await statusOf(path, headers), path).toBe(403);
    }
    expect(await statusOf('/models/iris', headers)).toBe(200);
  });

  it('for one model does not learn of others', async () => {
    for (const path of ['/models', '/v2/models', '/v2/models/stats']) {
      const response = await fetch(new URL(path, server.address), { headers: bearer(keys.irisOnly) });
      const text = await response.text();
      expect(response.status, path).toBe(200);
      expect(text, path).toContain('iris');
      expect(text, path).not.toContain('titanic');
    }
    const { body } = await postJson(server.address, '/predict', flower, bearer(keys.irisOnly));
    expect(JSON.stringify(body)).not.toContain('titanic');
  });

  it('for one model is not told of others by an error, whatever it asks for', async () => {
    const headers = bearer(keys.gone);
    const told = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(new URL(path, server.address), { headers, ...init });
      return { status: response.status, text: await response.text() };
    };
    const json = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"instances":[[1]]}',
    };
    for (const path of ['/models/gone', '/v1/models/gone', '/v2/models/gone', '/v2/models/gone/stats']) {
      const { status, text } = await told(path);
      expect(status, path).toBe(404);
      expect(text, path).not.toMatch(/iris|titanic/);
    }
    for (const path of [
      '/predict',
      '/invocations',
      '/models/gone/predict',
      '/v1/models/gone:predict',
      '/v2/models/gone/infer',
      '/v2/repository/models/gone/load',
    ]) {
      const { status, text } = await told(path, json);
      expect([400, 403, 404], path).toContain(status);
      expect(text, path).not.toMatch(/iris|titanic/);
    }
    expect((await told('/models/gone', { headers: bearer(keys.infer) })).status).toBe(404);
    expect((await told('/models/gone', { headers: bearer(keys.infer) })).text).toContain('there are: iris, titanic');
    const some = await told('/v2/models/gone', { headers: bearer(keys.irisOrGone) });
    expect(JSON.parse(some.text)).toEqual({ error: expect.stringMatching(/there are: iris$/) });
  });

  it('for one model does not learn the name of the default model', async () => {
    const environment = { MODELS_DIR: repository.path, DEFAULT_MODEL: 'titanic', API_KEYS_FILE: keyFile.file };
    await using other = await startReadyServer(environment);
    for (const path of ['/predict', '/invocations']) {
      const { status, body } = await postJson(other.address, path, flower, bearer(keys.irisOnly));
      expect(status, path).toBe(403);
      expect(JSON.stringify(body), path).not.toContain('titanic');
    }
  });

  it('for one model reads in the documentation of that one alone', async () => {
    const environment = { MODELS_DIR: repository.path, DOCS_PUBLIC: '0', API_KEYS_FILE: keyFile.file };
    await using closed = await startReadyServer(environment);
    for (const path of ['/openapi.json', '/docs/json']) {
      const pathsFor = async (key: string) => {
        const response = await fetch(new URL(path, closed.address), { headers: bearer(key) });
        return Object.keys(((await response.json()) as { paths: object }).paths).join(' ');
      };
      expect(await pathsFor(keys.irisOnly), path).toMatch(/iris/);
      expect(await pathsFor(keys.irisOnly), path).not.toMatch(/titanic/);
      expect(await pathsFor(keys.infer), path).toMatch(/iris.*titanic/);
    }
  });

  it('for one model does not read the metrics, which are those of all', async () => {
    const { key } = await keyFile.add({ scopes: ['metrics'], models: ['iris'] });
    await using other = await startReadyServer({ MODELS_DIR: repository.path, API_KEYS_FILE: keyFile.file });
    expect((await fetch(new URL('/metrics', other.address), { headers: bearer(key) })).status).toBe(403);
    expect((await fetch(new URL('/metrics', other.address), { headers: bearer(keys.metrics) })).status).toBe(200);
  });

  it('of an administrator of one model may load that one only, and not list the others', async () => {
    const headers = bearer(keys.irisAdmin);
    expect(
      (await fetch(new URL('/v2/repository/models/iris/load', server.address), { method: 'POST', headers })).status,
    ).toBe(200);
    expect(await statusOf('/v2/repository/models/titanic/unload', headers, 'POST')).toBe(403);
    expect(await statusOf('/v2/repository/index', headers, 'POST')).toBe(403);
  });

  it('is never logged or shown', async () => {
    const stray = 'inferd_12345678_a-key-that-is-not-valid';
    await postJson(server.address, '/iris/predict', flower, bearer(stray));
    await postJson(server.address, '/iris/predict', flower, bearer(keys.infer));
    const log = JSON.stringify(server.logLines);
    for (const key of [stray, plainKey, ...Object.values(keys)]) expect(log).not.toContain(key);
  });

  it('is followed when the file changes', async () => {
    const { key } = await keyFile.add();
    await expect
      .poll(() => postJson(server.address, '/iris/predict', flower, bearer(key)))
      .toMatchObject({ status: 200 });
  });
});

describe('without keys', () => {
  it('everything is open, also to who sends one', async () => {
    await using open = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await postJson(open.address, '/iris/predict', flower, bearer('whatever'))).toMatchObject({ status: 200 });
  });
});
