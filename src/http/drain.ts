import type { FastifyInstance } from 'fastify';
import type { ReadinessGate } from '../serving/readiness.ts';

/** While the server drains, ends each connection with its answer: an idle one would keep the server from closing. */
export function endConnectionsWhileDraining(app: FastifyInstance, readiness: ReadinessGate): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.draining) reply.header('connection', 'close');
    done(null, payload);
  });
}
