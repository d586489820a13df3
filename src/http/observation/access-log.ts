import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../telemetry/logger.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The model that answered, for the access log. */
    servedModel: { readonly name: string; readonly version: string } | undefined;
  }
}

/** Echoes the request id, and writes one line a request when its answer has been sent. */
export function logAccess(app: FastifyInstance, log: Logger): void {
  app.decorateRequest('servedModel', undefined);
  // The line is made of fields that hold no secrets; looking for them would cost a fifth of a small request.
  const accessLog = log.child({}, { redact: [] });

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });

  app.addHook('onResponse', (request, reply, done) => {
    accessLog.info({
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 1000) / 1000,
      key: request.caller?.id,
      model: request.servedModel?.name,
      version: request.servedModel?.version,
    });
    done();
  });
}
