import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { requestTimeoutMs } from '../../../src/http/terms/timeout-header.ts';

describe('the time that a client still waits', () => {
  test.each([
    [100, 98],
    [60_000, 59_990],
  ])('is less than the %d ms that it asks for: the answer has a way to go', async (asked, most) => {
    await using app = Fastify().get('/', async (request, reply) => ({ timeoutMs: requestTimeoutMs(request, reply) }));
    const reply = await app.inject({ url: '/', headers: { 'x-request-timeout-ms': String(asked) } });
    const { timeoutMs } = reply.json<{ timeoutMs: number }>();
    expect(timeoutMs).toBeLessThanOrEqual(most);
    expect(timeoutMs).toBeGreaterThan(0);
  });
});
