import type { FastifyInstance } from 'fastify';
import type { RequestSpan, Tracing } from '../../telemetry/tracing.ts';
import { readTraceContext } from '../../transport/trace-context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined when requests are not traced. */
    span: RequestSpan | undefined;
  }
}

/** Makes a span of every request to a route that is registered later. */
export function traceRequests(app: FastifyInstance, tracing: Tracing | undefined): void {
  app.decorateRequest('span', undefined);
  if (tracing === undefined) return;

  app.addHook('onRequest', (request, reply, done) => {
    const [path = '', query = ''] = request.url.split('?', 2);
    const span = tracing.startRequest({
      method: request.method,
      route: request.routeOptions.url,
      path,
      query,
      scheme: request.protocol,
      protocolVersion: request.raw.httpVersion,
      clientAddress: request.ip,
      clientPort: request.socket.remotePort,
      userAgent: request.headers['user-agent'],
      parent: readTraceContext(request.headers),
    });
    request.span = span;
    reply.raw.on('close', () => {
      const { servedModel } = request;
      const status = reply.raw.headersSent ? reply.raw.statusCode : undefined;
      span.end({ status, model: servedModel?.name, version: servedModel?.version });
    });
    done();
  });
}
