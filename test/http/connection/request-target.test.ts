import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routableTarget } from '../../../src/http/connection/request-target.ts';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { rawExchange } from '../../helpers/raw-exchange.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';
import { flower } from '../../helpers/tasks.ts';

describe('routableTarget', () => {
  it.each([
    ['/', '/'],
    ['*', '*'],
    ['/models/iris?x=%zz', '/models/iris?x=%zz'],
    ['http://host:8080/predict?a=1', '/predict?a=1'],
    ['https://host', '/'],
    ['http://host?a=1', '/?a=1'],
    ['HTTP://[::1]:80/a//b', '/a//b'],
    ['//host/predict', '//host/predict'],
    ['/models/%zz', '/models/%25zz'],
    ['/models/%', '/models/%25'],
    ['/models/%ff', '/models/%25ff'],
    ['/models/%ed%95%9c', '/models/%ed%95%9c'],
    ['/models/a%2fb', '/models/a%2fb'],
  ])('of %s is %s', (target, expected) => {
    expect(routableTarget(target)).toBe(expected);
  });

  it('is a path that can be read, whatever was sent', () => {
    const piece = fc.oneof(
      fc.constantFrom('%', '/', '%ff', '%41', '%e2%82', '?', '#'),
      fc.string({ unit: 'binary-ascii' }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const [path = ''] = routableTarget(`/${pieces.join('')}`).split('?');
        expect(() => decodeURIComponent(path)).not.toThrow();
      }),
    );
  });
});

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await temporaryRepository('iris');
  server = await startReadyServer({ MODELS_DIR: repository.path, DEFAULT_MODEL: 'iris', AIP_PREDICT_ROUTE: '/vertex' });
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

const lastLine = (id: string) => server.logLines.find((line) => line['request_id'] === id);

describe('a target that a browser would not send', () => {
  it.each([
    ['http://models.example/predict', flower],
    ['http://models.example:80/iris/predict', flower],
    ['http://models.example/vertex', { instances: [[1, 2, 3, 4]] }],
  ])('%s is routed by its path', async (target, body) => {
    const json = JSON.stringify(body);
    const head = `POST ${target} HTTP/1.1\r\nHost: models.example\r\nContent-Type: application/json`;
    const answer = await rawExchange(
      server.address,
      `${head}\r\nContent-Length: ${json.length}\r\nConnection: close\r\n\r\n${json}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    ['/models/%zz', 404, 'application/problem+json'],
    ['/models/%ff/versions/1', 404, 'application/problem+json'],
    ['/%', 404, 'application/problem+json'],
    ['/v1/models/%zz', 404, 'application/json'],
    ['/v2/models/%c3%28/ready', 404, 'application/json'],
    [`/models/${'m'.repeat(2000)}`, 404, 'application/problem+json'],
    [`/v1/models/${'m'.repeat(2000)}`, 404, 'application/json'],
    [`/v2/models/${'m'.repeat(2000)}/ready`, 404, 'application/json'],
    [`/nowhere/${'m'.repeat(2000)}`, 404, 'application/problem+json'],
  ])('%.40s is answered with %i as %s, and logged', async (path, status, type) => {
    const id = `target-${Math.random()}`;
    const raw = await rawExchange(
      server.address,
      `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n`,
    );
    const [head = '', body = ''] = raw.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*content-type: ${type.replace('+', '\\+')}`));
    expect(head).toContain(`x-request-id: ${id}`);
    expect(body).not.toContain('FST_');
    await expect.poll(() => lastLine(id)).toMatchObject({ method: 'GET', status });
  });

  it.each([100, 128, 1000])('with a name of %i characters still says which methods the route takes', async (length) => {
    for (const path of [`/models/${'m'.repeat(length)}`, `/v2/models/${'m'.repeat(length)}`]) {
      const response = await fetch(new URL(path, server.address), { method: 'DELETE' });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});
