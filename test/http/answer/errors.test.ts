import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineDomain } from '../../../src/domains/define-domain.ts';
import { iris } from '../../../src/domains/iris/iris.ts';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await temporaryRepository('iris', 'titanic');
  server = await startReadyServer({ MODELS_DIR: repository.path, BODY_LIMIT_BYTES: '100000' });
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const json = { 'content-type': 'application/json' };

async function post(path: string, body: string | undefined, headers: Record<string, string> = json) {
  const response = await fetch(new URL(path, server.address), {
    method: 'POST',
    headers,
    ...(body !== undefined && { body }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe('an error', () => {
  it('is a problem as in RFC 9457, with our members', async () => {
    const { status, headers, body } = await post('/iris/predict', JSON.stringify({ ...flower, petal_width: -1 }), {
      ...json,
      'x-request-id': 'mine-1',
    });
    expect(status).toBe(422);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(headers.get('x-request-id')).toBe('mine-1');
    expect(body).toEqual({
      type: '/errors/validation-failed',
      title: 'The request does not fit the schema',
      status: 422,
      detail: 'body.petal_width: Too small: expected number to be >0',
      instance: '/iris/predict',
      code: 'VALIDATION_FAILED',
      request_id: 'mine-1',
      errors: [
        { location: ['body', 'petal_width'], type: 'too_small', message: 'Too small: expected number to be >0' },
      ],
    });
  });

  it.each(['/iris/predict', '/models/iris/predict', '/v2/models/iris/infer'])(
    'is the answer to each of several large bodies at once that are no JSON, at %s',
    async (path) => {
      const body = `{"features": [${'1,'.repeat(20_000)}`;
      const answers = await Promise.all([1, 2, 3].map(() => post(path, body)));
      expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    },
  );

  it('names every fault of a body at once', async () => {
    const { body } = await post('/iris/predict', '{"sepal_length":"5","sepal_width":0,"colour":"blue"}');
    expect(
      (body['errors'] as { location: string[]; type: string }[]).map((fault) => [fault.location[1], fault.type]),
    ).toEqual([
      ['sepal_length', 'invalid_type'],
      ['sepal_width', 'too_small'],
      ['petal_length', 'missing'],
      ['petal_width', 'missing'],
      ['colour', 'unrecognized_keys'],
    ]);
  });

  it('names the instance of a batch', async () => {
    const instances = [flower, { ...flower, petal_length: null }];
    const { body } = await post('/iris/predict/batch', JSON.stringify({ instances }));
    expect(body.errors).toMatchObject([{ location: ['body', 'instances', 1, 'petal_length'] }]);
  });

  it('says where a body stops being JSON', async () => {
    const { status, body } = await post('/iris/predict', '{"sepal_length": 5.1,');
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'MALFORMED_JSON', detail: expect.stringMatching(/position 21/) });
  });

  it('tells an empty body', async () => {
    const { status, body } = await post('/iris/predict', '');
    expect(status).toBe(400);
    expect(body['detail']).toMatch(/empty/);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'image/png'])(
    'refuses %s where JSON is taken',
    async (type) => {
      const { status, body } = await post('/iris/predict', 'a=1', { 'content-type': type });
      expect(status).toBe(415);
      expect(body).toMatchObject({
        code: 'UNSUPPORTED_MEDIA_TYPE',
        detail: expect.stringContaining('application/json'),
      });
    },
  );

  it('refuses a request without a body', async () => {
    const response = await fetch(new URL('/iris/predict', server.address), { method: 'POST' });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/no content-type/) });
  });

  it('refuses a body above the limit', async () => {
    const { status, body } = await post('/iris/predict', JSON.stringify({ pad: 'x'.repeat(100_001) }));
    expect(status).toBe(413);
    expect(body['code']).toBe('BODY_TOO_LARGE');
  });

  it('tells an unknown route from a wrong method', async () => {
    expect(await post('/nowhere', '{}')).toMatchObject({ status: 404, body: { code: 'ROUTE_NOT_FOUND' } });
    const response = await fetch(new URL('/iris/predict', server.address));
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(await response.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  });

  it.each(['0', '-5', 'soon', '1.5', '1e9'])('refuses the deadline %j', async (value) => {
    const { status, body } = await post('/iris/predict', JSON.stringify(flower), {
      ...json,
      'x-request-timeout-ms': value,
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'MALFORMED_HEADER',
      errors: [{ location: ['header', 'x-request-timeout-ms'] }],
    });
  });

  it('of an unknown model lists the ones there are', async () => {
    const response = await fetch(new URL('/models/nope', server.address));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      detail: expect.stringMatching(/iris, titanic/),
    });
  });

  it('of an unknown version lists the ones there are', async () => {
    const response = await fetch(new URL('/models/iris/versions/9', server.address));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'VERSION_NOT_FOUND', detail: expect.stringMatching(/has: 1/) });
  });

  it('of a missing default model lists the choices', async () => {
    const { status, body } = await post('/predict', JSON.stringify(flower));
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'DEFAULT_MODEL_UNKNOWN', detail: expect.stringMatching(/iris, titanic/) });
  });

  it('answers a broken URL', async () => {
    const response = await fetch(`${server.address}/models/%E0%A4%A`);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });
});

describe('a fault of the server', () => {
  const faulty = defineDomain({
    ...iris,
    encode: () => {
      throw new Error('the secret is 42');
    },
  });

  it('shows nothing of its cause, which is in the log under the request id', async () => {
    await using failing = await startReadyServer({ MODELS_DIR: repository.path }, [faulty]);
    const { status, body } = await postJson(failing.address, '/iris/predict', flower, { 'x-request-id': 'fault-1' });
    expect(status).toBe(500);
    expect(body).toEqual({
      type: '/errors/internal',
      title: 'Internal error',
      status: 500,
      instance: '/iris/predict',
      code: 'INTERNAL',
      request_id: 'fault-1',
    });
    expect(failing.logLines).toContainEqual(
      expect.objectContaining({
        request_id: 'fault-1',
        err: expect.objectContaining({ message: expect.stringContaining('the secret is 42') }),
      }),
    );
  });
});

describe('x-request-id', () => {
  const idOf = async (given: string) => {
    const response = await fetch(new URL('/health/live', server.address), { headers: { 'x-request-id': given } });
    return response.headers.get('x-request-id');
  };

  it('is echoed if it is sane', async () => {
    expect(await idOf('a.b:c/d+e=f-1_2')).toBe('a.b:c/d+e=f-1_2');
  });

  it.each(['with space', 'x'.repeat(129), '"quoted"'])('is made anew instead of %j', async (given) => {
    expect(await idOf(given)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the access log', () => {
  it('has one line a request with id, route, status, time, model and version', async () => {
    await post('/iris/predict', JSON.stringify(flower), { ...json, 'x-request-id': 'logged-1' });
    const lines = server.logLines.filter((line) => line['request_id'] === 'logged-1');
    expect(lines).toEqual([
      expect.objectContaining({
        method: 'POST',
        route: '/iris/predict',
        status: 200,
        ms: expect.any(Number),
        model: 'iris',
        version: '1',
      }),
    ]);
  });
});
