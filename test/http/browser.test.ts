import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { startTestServer, type TestServer } from '../helpers/server.ts';

let repository: TemporaryFolder;
let closed: TestServer;
let open: TestServer;

beforeAll(async () => {
  repository = await temporaryRepository();
  closed = await startTestServer({ MODELS_DIR: repository.path });
  open = await startTestServer({
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
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe-eval/);
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
    expect(refused.headers.get('access-control-expose-headers')).toMatch(/retry-after/);
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

  it('does not turn unknown paths into known ones', async () => {
    const headers = { authorization: 'Bearer a-key-for-the-pages-of-app' };
    expect((await ask(open, '/nowhere', headers)).status).toBe(404);
    const response = await ask(open, '/health/live', headers, 'DELETE');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
