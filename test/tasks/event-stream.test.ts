import { once } from 'node:events';
import { request as open } from 'node:http';
import fastify, { type FastifyRequest } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { sendTaskEvents } from '../../src/tasks/event-stream.ts';
import type { Task } from '../../src/tasks/task.ts';

const running: Task = {
  id: 'one',
  work: 'work',
  model: 'iris',
  owner: '',
  state: 'running',
  priority: 0,
  instances: 1,
  attempt: 1,
  retries: 0,
  predictionId: undefined,
  error: undefined,
  createdAt: new Date(0),
  dueAt: new Date(0),
  startedAt: new Date(0),
  finishedAt: undefined,
  expiresAt: undefined,
};

/** A server with the events of one task that runs until the test ends, and how many follow it. */
async function start(onRequest: (request: FastifyRequest) => Promise<void> = async () => {}) {
  const counts = { followers: 0, followed: 0 };
  const tasks = {
    async get(id: string) {
      if (id === running.id) return running;
      throw new AppError('TASK_NOT_FOUND', { message: 'There is no such task' });
    },
    async *follow(_id: string, _viewer: unknown, signal: AbortSignal) {
      counts.followers += 1;
      counts.followed += 1;
      try {
        yield running;
        if (!signal.aborted) await once(signal, 'abort');
      } finally {
        counts.followers -= 1;
      }
    },
  };
  const app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', onRequest);
  app.get<{ Params: { id: string } }>('/:id', (request, reply) =>
    sendTaskEvents(tasks, request.params.id, request, reply),
  );
  onTestFinished(() => app.close());
  return { address: await app.listen({ host: '127.0.0.1', port: 0 }), counts };
}

it('HEAD has the headers of the stream, and follows nothing', async () => {
  const { address, counts } = await start();
  const head = await fetch(`${address}/one`, { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(head.headers.get('content-type')).toBe('text/event-stream');
  // Else a stop of the server would wait for the client to give up the connection.
  expect(head.headers.get('connection')).toBe('close');
  expect(head.headers.get('cache-control')).toBe('no-store');
  expect(head.headers.get('content-length')).toBeNull();
  expect(counts.followed).toBe(0);
  expect((await fetch(`${address}/other`, { method: 'HEAD' })).ok).toBe(false);
});

it('a stream ends its following when its client goes', async () => {
  const { address, counts } = await start();
  const client = new AbortController();
  const response = await fetch(`${address}/one`, { signal: client.signal });
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toContain('event: running');
  expect(counts).toEqual({ followers: 1, followed: 1 });
  client.abort();
  await expect.poll(() => counts.followers).toBe(0);
});

it('a stream ends at once when its client went before it began', async () => {
  const begun = Promise.withResolvers<void>();
  const { address, counts } = await start(async ({ raw }) => {
    begun.resolve();
    await once(raw.socket, 'close');
  });
  const client = open(`${address}/one`).on('error', () => {});
  client.end();
  await begun.promise;
  client.destroy();
  await expect.poll(() => counts).toEqual({ followers: 0, followed: 1 });
});
