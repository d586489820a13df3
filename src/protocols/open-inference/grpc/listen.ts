import { createServer, type Server, type Socket } from 'node:net';
import type { Server as GrpcLibraryServer, ServerCredentials } from '@grpc/grpc-js';
import { AppError } from '../../../errors.ts';
import type { ConnectionBound } from '../../../transport/connection-bound.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly connections: ConnectionBound;
  /** How long a new connection may take to send what begins HTTP/2. */
  readonly prefaceTimeoutMs: number;
}

/** The client's magic, and the head of its settings (RFC 9113, section 3.4). */
const prefaceBytes = 24 + 9;

/** HTTP keeps a quarter for itself, health among it. */
const shareOfConnections = 3 / 4;

/**
 * Listens for a gRPC server, whose library neither bounds connections nor the time in which they must say something.
 *
 * @throws AppError `SETTINGS_INVALID` when the port cannot be had
 */
export function listen(
  server: GrpcLibraryServer,
  credentials: ServerCredentials,
  { host, port, connections, prefaceTimeoutMs }: ListenOptions,
): Promise<Server> {
  const injector = server.createConnectionInjector(credentials);
  const sockets = createServer({ noDelay: true }, (socket) => {
    closeIfSilent(socket, prefaceTimeoutMs);
    injector.injectConnection(socket);
  });
  connections.add(sockets, shareOfConnections);
  return new Promise((resolve, reject) => {
    sockets.once('error', (cause) => {
      const message = `GRPC_PORT: cannot listen at ${host.includes(':') ? `[${host}]` : host}:${port}`;
      reject(new AppError('SETTINGS_INVALID', { message, cause }));
    });
    sockets.listen({ host, port }, () => resolve(sockets));
  });
}

function closeIfSilent(socket: Socket, timeoutMs: number): void {
  const timer = setTimeout(() => {
    if (socket.bytesRead < prefaceBytes) socket.destroy();
  }, timeoutMs);
  timer.unref();
  // A connection that is gone before it has begun breaks nothing.
  socket.once('error', () => {});
  socket.once('close', () => clearTimeout(timer));
}
