import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ReadinessGate } from '../../serving/readiness.ts';

/** While the server drains, ends each connection with its answer: an idle one would keep the server from closing. */
export function endConnectionsWhileDraining(app: FastifyInstance, readiness: ReadinessGate): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.draining) reply.header('connection', 'close');
    done(null, payload);
  });
}

/**
 * Closes the connections of requests that have not arrived in full within `uploadTimeoutMs` of the stop. Node.js no
 * longer looks for slow requests once its server closes, and one that stopped half-way would hold up the stop.
 */
export function cutUploadsAtStop(app: FastifyInstance, uploadTimeoutMs: number): void {
  // By connection, not by request: a set that every request enters and leaves is made anew again and again, each time with
  // a reference to the next one, and one that has grown old keeps all requests from the collector of young garbage.
  const connections = new Set<Socket>();
  const latest = new WeakMap<Socket, IncomingMessage>();
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const { socket } = raw;
    if (!latest.has(socket)) {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    }
    latest.set(socket, raw);
    done();
  });
  app.addHook('preClose', (done) => {
    const timer = setTimeout(() => {
      for (const socket of connections) {
        // Only the last request of a connection can still be arriving.
        const request = latest.get(socket);
        if (request?.complete === false) request.destroy();
      }
    }, uploadTimeoutMs);
    // A server that never listened is never closed either; the connections of one that did keep the process alive.
    timer.unref();
    app.server.once('close', () => clearTimeout(timer));
    done();
  });
}
