import { EventEmitter } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { readCallTerms as termsOfRequest } from '../../src/http/terms/call-terms.ts';
import { callContext } from '../../src/protocols/open-inference/grpc/call/call-context.ts';
import { readCallTerms as termsOfCall } from '../../src/protocols/open-inference/grpc/call/call-terms.ts';
import { type AskedTerms, type CallTerms, shorterMs } from '../../src/serving/call-terms.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

async function overHttp(headers: Readonly<Record<string, string>>, asked: AskedTerms): Promise<CallTerms> {
  let terms: CallTerms | undefined;
  await using app = Fastify({ genReqId: ({ headers }) => String(headers['x-request-id']) });
  app.get('/', async (request, reply) => {
    terms = termsOfRequest(request, reply, asked);
    return '';
  });
  await app.inject({ url: '/', headers });
  if (terms === undefined) throw new Error('The request had no terms');
  return terms;
}

function overGrpc(metadata: Readonly<Record<string, string>>, deadline: number, asked: AskedTerms): CallTerms {
  const call = Object.assign(new EventEmitter(), {
    metadata: Metadata.fromHttp2Headers(metadata),
    getDeadline: () => deadline,
  });
  const parameters = new Map([['timeout', whole((asked.timeoutMs ?? 0) * 1000)]]);
  if (asked.priority !== undefined) parameters.set('priority', whole(asked.priority));
  return termsOfCall(callContext(call), parameters);
}

/** A parameter of a call that is a whole number. */
function whole(value: number) {
  return { bool: undefined, int64: BigInt(value), string: undefined, double: undefined, uint64: undefined };
}

test.each<AskedTerms>([{}, { priority: 2 }, { timeoutMs: 20_000 }])(
  'HTTP and gRPC make the same terms of the same asks: %j',
  async (asked) => {
    const headers = { 'x-request-id': 'one', traceparent, tracestate: 'a=b' };
    const ofRequest = await overHttp({ ...headers, 'x-request-timeout-ms': '60000' }, asked);
    const ofCall = overGrpc(headers, Date.now() + 60_000, asked);
    const { signal: _, timeoutMs, headers: sent, ...rest } = ofCall;
    expect(ofRequest).toMatchObject(rest);
    expect(sent?.get('tracestate')).toBe('a=b');
    expect(ofRequest.headers?.get('tracestate')).toBe('a=b');
    expect(rest).toMatchObject({
      requestId: 'one',
      priority: asked.priority,
      trace: { traceparent, tracestate: 'a=b' },
    });
    for (const wait of [timeoutMs, ofRequest.timeoutMs]) {
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(asked.timeoutMs ?? 60_000);
    }
  },
);

test('a call whose client is gone has a signal that is aborted', () => {
  const call = Object.assign(new EventEmitter(), {
    metadata: new Metadata(),
    getDeadline: () => Number.POSITIVE_INFINITY,
  });
  const { signal, timeoutMs } = termsOfCall(callContext(call), new Map());
  expect(timeoutMs).toBeUndefined();
  call.emit('cancelled');
  expect(signal.aborted).toBe(true);
});

test.each([
  [undefined, undefined, undefined],
  [1, undefined, 1],
  [undefined, 2, 2],
  [3, 2, 2],
])('of the times %j and %j the shorter one counts: %j', (one, other, shorter) => {
  expect(shorterMs(one, other)).toBe(shorter);
});
