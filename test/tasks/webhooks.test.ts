import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signatureHeaders } from '../../src/tasks/webhook/signature.ts';
import { type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';
import { finishedTask, flower, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

const secret = 'a secret of this test';

interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that answers with these statuses, one after the other, and then with 200. */
async function receiver(statuses: readonly number[] = []) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    const status = statuses[calls.length] ?? 200;
    calls.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const dispose = async () => void server.close();
  return { calls, url: `http://127.0.0.1:${address.port}/hook`, [Symbol.asyncDispose]: dispose };
}

/** A server that takes connections and answers nothing. */
async function silentReceiver() {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const dispose = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    connections: () => sockets.size,
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: dispose,
  };
}

describe('a webhook', () => {
  let database: TestDatabase;
  let repository: TemporaryFolder;
  let server: TestServer;

  beforeAll(async () => {
    database = await temporaryDatabase('embedded');
    repository = await temporaryRepository('iris');
    server = await startReadyServer({
      MODELS_DIR: repository.path,
      WEBHOOK_SECRET: secret,
      TASK_POLL_MS: '60000',
      WEBHOOK_ALLOW_PRIVATE: '1',
      ...database.environment,
    });
    await whenTasksAreReady(server.address);
  });

  afterAll(async () => {
    await server.stop();
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const submit = (url: string) => submitTask(server.address, `/iris/tasks?webhook=${encodeURIComponent(url)}`, flower);

  it('is called when the task is finished, with a signature', async () => {
    await using hook = await receiver();
    const id = await submit(hook.url);
    await expect.poll(() => hook.calls).toHaveLength(1);
    const [call] = hook.calls;
    expect(JSON.parse(call?.body ?? '')).toEqual({
      type: 'task.succeeded',
      timestamp: expect.stringMatching(/Z$/),
      data: await finishedTask(server.address, id),
    });
    const seconds = Number(call?.headers['webhook-timestamp']);
    expect(Math.abs(Date.now() / 1000 - seconds)).toBeLessThan(30);
    expect(call?.headers).toMatchObject(signatureHeaders(secret, id, seconds, call?.body ?? ''));
  });

  it('is called when the task is cancelled', async () => {
    await using hook = await receiver();
    const path = `/iris/tasks?delay_s=3600&webhook=${encodeURIComponent(hook.url)}`;
    const id = await submitTask(server.address, path, flower);
    await getJson(server.address, `/tasks/${id}`, { method: 'DELETE' });
    await expect.poll(() => hook.calls).toHaveLength(1);
    expect(JSON.parse(hook.calls[0]?.body ?? '')).toMatchObject({ type: 'task.cancelled', data: { id } });
  });

  it('is called while receivers say nothing, and is logged without its path and query', async () => {
    await using silent = await silentReceiver();
    await using hook = await receiver();
    const ids = await Promise.all(Array.from({ length: 64 }, () => submit(`${silent.url}/path-secret?token=secret`)));
    for (const id of ids) await finishedTask(server.address, id);
    await expect.poll(() => silent.connections()).toBeGreaterThan(0);
    for (let count = 1; count <= 3; count += 1) {
      await submit(hook.url);
      await expect.poll(() => hook.calls).toHaveLength(count);
    }
    expect(silent.connections()).toBeLessThanOrEqual(8);

    const refused = await receiver([500]);
    await submit(`${refused.url}/path-secret?token=secret`);
    const logged = () => server.logLines.find(({ webhook }) => webhook === new URL(refused.url).origin);
    await expect.poll(logged).toBeDefined();
    await refused[Symbol.asyncDispose]();
    expect(JSON.stringify(server.logLines)).not.toContain('path-secret');
    expect(JSON.stringify(server.logLines)).not.toContain('token=secret');
  });

  it('is called again until it answers well, and a redirect is no such answer', async () => {
    await using hook = await receiver([500, 302]);
    await submit(hook.url);
    await expect.poll(() => hook.calls).toHaveLength(3);
    expect(new Set(hook.calls.map(({ path }) => path))).toEqual(new Set(['/hook']));
    expect(new Set(hook.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

describe('a webhook to a private network', () => {
  it('is refused: at once by its address, and by its name when it is called', async () => {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await using hook = await receiver();
    await using server = await startReadyServer({
      MODELS_DIR: repository.path,
      WEBHOOK_SECRET: secret,
      ...database.environment,
    });
    await whenTasksAreReady(server.address);
    const byAddress = await postJson(server.address, `/iris/tasks?webhook=${encodeURIComponent(hook.url)}`, flower);
    expect(byAddress).toMatchObject({ status: 422, body: { code: 'WEBHOOK_REFUSED' } });
    const named = hook.url.replace('127.0.0.1', 'localhost');
    await submitTask(server.address, `/iris/tasks?webhook=${encodeURIComponent(named)}`, flower);
    const givenUp = () => server.logLines.some(({ msg }) => msg === 'A webhook is given up');
    await expect.poll(givenUp).toBe(true);
    expect(hook.calls).toEqual([]);
  });

  it('is refused without a secret to sign it', async () => {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path, ...database.environment });
    await whenTasksAreReady(server.address);
    const answer = await postJson(server.address, '/iris/tasks?webhook=https://example.com/', flower);
    expect(answer).toMatchObject({ status: 422, body: { detail: expect.stringContaining('WEBHOOK_SECRET') } });
  });
});
