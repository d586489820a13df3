import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { startReadyServer, startTestServer, type TestServer } from '../../helpers/server.ts';

let repository: TemporaryFolder;
let closed: TestServer;
let open: TestServer;

beforeAll(async () => {
  repository = await temporaryRepository('iris');
  closed = await startTestServer({ MODELS_DIR: repository.path });
  open = await startReadyServer({
    MODELS_DIR: repository.path,
    CORS_ORIGINS: 'https://app.example',
    API_KEYS: 'a-key-for-the-pages-of-app',
  });
});

afterAll(async () => {
  await Promise.all([closed.stop(), open.stop()]);
  await repository[Symbol.asyncDispose]();
});

const ask = (server: TestServer, path: string, headers: Record<string, string>, method = 'GET') =>
  fetch(new URL(path, server.address), { method, headers });

const preflight = (server: TestServer, origin: string) => {
  const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };
  return ask(server, '/v2/models/iris/infer', { origin, ...asks }, 'OPTIONS');
};

describe('every answer', () => {
  it.each(['/health/live', '/models', '/nowhere', '/openapi.json'])(
    'of %s says not to guess and not to keep it',
    async (path) => {
      const { headers } = await ask(closed, path, {});
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('server')).toBeNull();
      expect(headers.get('strict-transport-security')).toBeNull();
    },
  );
});

describe('the pages of the documentation', () => {
  it('run no script but their own, and in no frame', async () => {
    const { headers } = await ask(closed, '/docs', {});
    expect(headers.get('content-security-policy')).toMatch(/default-src 'self'/);
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|upgrade-insecure-requests/);
    expect(headers.get('cross-origin-opener-policy')).toBeNull();
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });
});

describe('a page of another origin', () => {
  it('is not let in without CORS_ORIGINS', async () => {
    const answer = await ask(closed, '/models', { origin: 'https://app.example' });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect((await preflight(closed, 'https://app.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is let in if it is named, and can read what it needs', async () => {
    const answer = await preflight(open, 'https://app.example');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization');
    const refused = await ask(open, '/models', { origin: 'https://app.example' });
    expect(refused.status).toBe(401);
    const exposed = refused.headers.get('access-control-expose-headers')?.split(', ');
    const needed = ['retry-after', 'location', 'x-prediction-id', 'inference-header-content-length', 'x-request-id'];
    expect(exposed).toEqual(expect.arrayContaining(needed));
    expect(refused.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it.each(['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null'])(
    'is not let in as %s',
    async (origin) => {
      expect((await preflight(open, origin)).headers.get('access-control-allow-origin')).not.toBe(origin);
      const answer = await ask(open, '/health/live', { origin });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  it('may send the headers of every protocol', async () => {
    const asked = 'inference-header-content-length, x-request-timeout-ms, idempotency-key';
    const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': asked };
    const answer = await ask(open, '/v2/models/iris/infer', { origin: 'https://app.example', ...headers }, 'OPTIONS');
    expect(answer.headers.get('access-control-allow-headers')).toBe(asked);
  });

  it.each(['/', '/models', '/v2/models/iris/infer', '/nowhere'])(
    'makes the answer of %s one that no cache gives to another',
    async (path) => {
      const headers = { authorization: 'Bearer a-key-for-the-pages-of-app' };
      const body = { inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] };
      const sent = path.endsWith('infer') ? { method: 'POST', body: JSON.stringify(body) } : {};
      const answer = await fetch(new URL(path, open.address), { headers, ...sent });
      expect(answer.headers.get('vary')?.split(', ')).toContain('Origin');
    },
  );

  it('does not turn unknown paths into known ones', async () => {
    const headers = { authorization: 'Bearer a-key-for-the-pages-of-app' };
    expect((await ask(open, '/nowhere', headers)).status).toBe(404);
    const response = await ask(open, '/health/live', headers, 'DELETE');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('OPTIONS that is no preflight', () => {
  it.each([
    ['/models', 'GET, HEAD, OPTIONS'],
    ['/v2/models/iris/infer', 'POST, OPTIONS'],
    ['/v1/models/iris:predict', 'POST, OPTIONS'],
    ['/invocations', 'POST, OPTIONS'],
    ['/iris/predict?x=1', 'POST, OPTIONS'],
  ])('of %s tells of the methods, with CORS or without', async (path, allow) => {
    for (const server of [closed, open]) {
      for (const headers of [{}, { origin: 'https://app.example' }, { 'access-control-request-method': 'POST' }]) {
        const { status, headers: answered } = await ask(server, path, headers, 'OPTIONS');
        expect([status, answered.get('allow')]).toEqual([204, allow]);
        expect(answered.get('x-request-id')).not.toBeNull();
      }
    }
  });

  it('of an unknown path is 404', async () => {
    for (const server of [closed, open]) expect((await ask(server, '/nowhere', {}, 'OPTIONS')).status).toBe(404);
  });
});
