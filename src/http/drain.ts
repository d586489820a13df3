import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { ReadinessGate } from '../serving/readiness.ts';

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
  const open = new Set<IncomingMessage>();
  app.addHook('onRequest', (request, _reply, done) => {
    open.add(request.raw);
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    open.delete(request.raw);
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    open.delete(request.raw);
    done();
  });
  app.addHook('preClose', (done) => {
    const timer = setTimeout(() => {
      for (const request of open) if (!request.complete) request.destroy();
    }, uploadTimeoutMs);
    app.server.once('close', () => clearTimeout(timer));
    done();
  });
}
