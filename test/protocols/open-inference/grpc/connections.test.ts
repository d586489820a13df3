import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { grpcClient } from '../../../helpers/grpc-client.ts';
import { startReadyServer } from '../../../helpers/server.ts';

async function openSilent(port: number | undefined): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port ?? 0, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}).resume();
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  return { socket, closed };
}

it('connections that say nothing leave room for others, and are closed after HEADERS_TIMEOUT_MS', async () => {
  await using server = await startReadyServer({ GRPC_PORT: '0', MAX_CONNECTIONS: '40', HEADERS_TIMEOUT_MS: '2000' });
  const silent = await Promise.all(Array.from({ length: 100 }, () => openSilent(server.grpcPort)));
  // HTTP keeps a quarter.
  expect((await fetch(new URL('/health/live', server.address))).status).toBe(200);
  await Promise.all(silent.map(({ closed }) => closed));
  using client = grpcClient(server.grpcPort);
  expect(await client.call('ServerLive')).toEqual({ live: true });
});

it('connections of HTTP count for gRPC', async () => {
  await using server = await startReadyServer({ GRPC_PORT: '0', MAX_CONNECTIONS: '8', HEADERS_TIMEOUT_MS: '60000' });
  const held = await Promise.all(Array.from({ length: 8 }, () => openSilent(Number(new URL(server.address).port))));
  const openConnections = () =>
    new Promise((resolve) => server.app.server.getConnections((_, count) => resolve(count)));
  await expect.poll(openConnections).toBe(held.length);
  const { closed } = await openSilent(server.grpcPort);
  await closed;
  for (const { socket } of held) socket.destroy();
  using client = grpcClient(server.grpcPort);
  await vi.waitFor(async () => expect(await client.call('ServerLive')).toEqual({ live: true }), { timeout: 20_000 });
});

it('a connection has GRPC_MAX_STREAMS calls at the same time, and the next ones wait', async () => {
  await using server = await startReadyServer({ GRPC_PORT: '0', GRPC_MAX_STREAMS: '2' });
  using client = grpcClient(server.grpcPort);
  const calls = await Promise.all(Array.from({ length: 20 }, () => client.call('ServerLive')));
  expect(calls).toHaveLength(20);
});
