import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { processesFor } from '../../../helpers/local-runner.ts';
import { runnerPids } from '../../../helpers/process.ts';
import { startReadyServer } from '../../../helpers/server.ts';

const flower = {
  inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }],
};
const body = Buffer.from(JSON.stringify(flower));

async function dial(address: string): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends the head of a request and half of its body. */
async function startUpload(address: string, head = `content-length: ${body.byteLength}`): Promise<Socket> {
  const socket = await dial(address);
  const half = body.subarray(0, body.byteLength / 2);
  const chunk = head.startsWith('transfer') ? `${half.byteLength.toString(16)}\r\n` : '';
  socket.write(`POST /v2/models/iris/infer HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n${chunk}`);
  await new Promise<void>((resolve) => void socket.write(half, () => resolve()));
  return socket;
}

function infer(address: string): Promise<Response> {
  return fetch(new URL('/v2/models/iris/infer', address), { method: 'POST', body });
}

async function served(address: string) {
  const response = await fetch(new URL('/v2/models/iris/stats', address));
  const { model_stats: stats } = (await response.json()) as {
    model_stats: { inference_count: number; inference_stats: { fail: { count: number } } }[];
  };
  return { inferences: stats[0]?.inference_count, failures: stats[0]?.inference_stats.fail.count };
}

const heads = [`content-length: ${body.byteLength}`, 'transfer-encoding: chunked'];

describe('an upload that stops half-way', () => {
  it.each(heads)('holds no runner and no place in the queue (%s)', async (head) => {
    await using server = await startReadyServer();
    const { address } = server;
    const sockets = await Promise.all(Array.from({ length: 50 }, () => startUpload(address, head)));
    const answers = await Promise.all(Array.from({ length: 20 }, () => infer(address)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(await served(address)).toEqual({ inferences: 20, failures: 0 });
    for (const socket of sockets) socket.destroy();
  });

  it.each(heads)('and is cut off leaves nothing behind (%s)', async (head) => {
    await using server = await startReadyServer({}, undefined, { spawnRunner: processesFor('iris') });
    const { address } = server;
    const pids = await runnerPids(address, 'iris');
    const sockets = await Promise.all(Array.from({ length: 50 }, () => startUpload(address, head)));
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
    expect((await infer(address)).status).toBe(200);
    await expect.poll(() => connections(server)).toBeLessThan(5);
    expect(await served(address)).toEqual({ inferences: 1, failures: 0 });
    expect(await runnerPids(address, 'iris')).toEqual(pids);
    expect(server.logLines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  it('and goes on later is answered', async () => {
    await using server = await startReadyServer();
    const socket = await startUpload(server.address);
    expect((await infer(server.address)).status).toBe(200);
    socket.write(body.subarray(body.byteLength / 2));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200/);
    socket.destroy();
  });

  it('is answered by 408 and closed after UPLOAD_TIMEOUT_MS', async () => {
    await using server = await startReadyServer({ UPLOAD_TIMEOUT_MS: '1000' });
    const socket = await startUpload(server.address);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 408/);
    if (!socket.closed) await once(socket, 'close');
    await expect.poll(() => connections(server)).toBe(0);
  });

  it('does not keep the server from stopping', async () => {
    const server = await startReadyServer({ UPLOAD_TIMEOUT_MS: '1000' });
    const socket = await startUpload(server.address);
    await server.stop();
    if (!socket.closed) await once(socket, 'close');
  });
});

function connections({ app }: Awaited<ReturnType<typeof startReadyServer>>): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
