import type { ServerResponse } from 'node:http';
import { describe, expect, it, test, vi } from 'vitest';
import { float32 } from '../../../src/tensor/tensor.ts';
import { context } from '../models.ts';
import { openOn } from './open-stand-in.ts';
import { answerOf, sendJson, startStandIn } from './stand-in-server.ts';

const x = float32([2, 2], [1, 2, 3, 4]);
const right = answerOf({ shape: [2, 2], data: [2, 4, 6, 8] });

/** What becomes of a request that the server answers so. */
async function outcomeOf(onInfer: (response: ServerResponse) => void, overrides: Parameters<typeof context>[0] = {}) {
  await using server = await startStandIn({ onInfer });
  const { model } = await openOn(server.url, { maxOutputBytes: 1000 });
  try {
    return await model.predict({ x }, context(overrides)).then(
      ({ outputs }) => ({ outputs }),
      ({ code, kind, message, retryAfterSeconds }) => ({ code, kind, message, retryAfterSeconds }),
    );
  } finally {
    await model.close();
  }
}

describe('an answer that cannot be used is REMOTE_FAILED', () => {
  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    [
      'HTML with 200',
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>'),
      /not JSON|cannot be read|JSON/,
    ],
    ['HTML with 502', (response) => void response.writeHead(502).end('<html>Bad gateway</html>'), /status 502/],
    [
      'a wrong shape',
      (response) => sendJson(response, answerOf({ shape: [4, 1], data: [1, 2, 3, 4] })),
      /shape \[4,1\]/,
    ],
    [
      'a wrong type',
      (response) => sendJson(response, answerOf({ datatype: 'INT32', shape: [2, 2], data: [1, 2, 3, 4] })),
      /INT32/,
    ],
    ['a wrong length', (response) => sendJson(response, answerOf({ shape: [2, 2], data: [1, 2, 3] })), /3 elements/],
    [
      'another output',
      (response) => sendJson(response, answerOf({ name: 'z', shape: [2, 2], data: [1, 2, 3, 4] })),
      /no output "y"/,
    ],
    ['no outputs', (response) => sendJson(response, { model_name: 'doubling' }), /outputs/],
    [
      'half a body',
      (response) => {
        const text = JSON.stringify(right);
        response.writeHead(200, { 'content-length': text.length });
        response.write(text.slice(0, text.length / 2), () => response.destroy());
      },
      /cut off/,
    ],
    [
      'nothing after the headers',
      (response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.flushHeaders();
        setImmediate(() => response.destroy());
      },
      /cut off/,
    ],
    [
      'a redirect',
      (response) => void response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end(),
      /status 307/,
    ],
    [
      'ten times the bytes',
      (response) => sendJson(response, answerOf({ shape: [200, 2], data: new Array(400).fill(1.5) })),
      /1600 bytes; expected at most 1000/,
    ],
    [
      'a coding that was not asked for',
      (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(JSON.stringify(right)),
      /compressed/,
    ],
    ['something that is no HTTP', (response) => void response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n'), /no HTTP/],
    ['status 404', (response) => sendJson(response, { error: 'no such model' }, 404), /status 404, no such model/],
  ])('%s', async (_, onInfer, message) => {
    expect(await outcomeOf(onInfer)).toMatchObject({
      code: 'REMOTE_FAILED',
      kind: 'upstream',
      message: expect.stringMatching(message),
    });
  });

  it('closes a connection that more comes from than an answer may have', async () => {
    const closed = Promise.withResolvers<void>();
    const onInfer = (response: ServerResponse) => {
      response.on('close', () => closed.resolve());
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect(await outcomeOf(onInfer)).toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringContaining('at most'),
    });
    await closed.promise;
  });
});

describe('what a server says of a request is said to the client', () => {
  test.each<[number, string, object]>([
    [400, 'MODEL_REFUSED_INPUT', { message: expect.stringContaining('x is too small, see model.py') }],
    [422, 'MODEL_REFUSED_INPUT', {}],
    [429, 'QUEUE_FULL', { retryAfterSeconds: 7 }],
    [503, 'QUEUE_FULL', { retryAfterSeconds: 7 }],
    [504, 'DEADLINE_EXCEEDED', {}],
    [500, 'REMOTE_FAILED', {}],
  ])('status %i is %s', async (status, code, more) => {
    const outcome = await outcomeOf((response) => {
      response.setHeader('retry-after', '7');
      sendJson(response, { error: `x is too small,\nsee /srv/models/secret/model.py${' '.repeat(10_000)}` }, status);
    });
    expect(outcome).toMatchObject({ code, ...more });
  });
});

describe('a request that nobody waits for', () => {
  it('is ended with its deadline', async () => {
    const ended = Promise.withResolvers<void>();
    const outcome = await outcomeOf((response) => void response.on('close', () => ended.resolve()), { timeoutMs: 50 });
    expect(outcome).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await ended.promise;
  });

  it('is ended when its client is gone', async () => {
    const gone = new AbortController();
    const ended = Promise.withResolvers<void>();
    const outcome = await outcomeOf(
      (response) => {
        response.on('close', () => ended.resolve());
        gone.abort();
      },
      { signal: gone.signal },
    );
    expect(outcome).toMatchObject({ code: 'CLIENT_GONE' });
    await ended.promise;
  });
});

describe('a request', () => {
  it('carries its id, its trace, its priority and the time that is left', async () => {
    await using server = await startStandIn();
    const { model } = await openOn(server.url, { remote: { headers: { Authorization: 'Bearer me' } } });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const trace = { traceparent, tracestate: 'a=1' };
    await model.predict({ x }, context({ requestId: 'r-1', trace, priority: 2, timeoutMs: 5000 }));
    await model.close();
    expect(server.asked).toMatchObject([
      {
        authorization: 'Bearer me',
        'x-request-id': 'r-1',
        'x-request-priority': '2',
        traceparent,
        tracestate: 'a=1',
      },
    ]);
    expect(Number(server.asked[0]?.['x-request-timeout-ms'])).toSatisfy((ms: number) => ms > 4000 && ms <= 5000);
  });

  it('uses the connection of the one before', async () => {
    await using server = await startStandIn();
    const { model } = await openOn(server.url);
    for (let count = 0; count < 5; count += 1) await model.predict({ x }, context());
    expect(await server.connections()).toBe(1);
    await model.close();
    await vi.waitUntil(async () => (await server.connections()) === 0);
  });
});
