import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestSpan, TraceContext, Tracing } from '../telemetry/tracing.ts';

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

/** What to hand on to whoever works for the request: its own span, or, when it has none, what its client sent. */
export function traceContextOf(request: FastifyRequest): TraceContext | undefined {
  return request.span?.context ?? readTraceContext(request.headers);
}

const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** The trace context of a request's headers; undefined if it has none, or none that can be read. */
export function readTraceContext(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): TraceContext | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string' || !traceparentPattern.test(traceparent)) return undefined;
  return typeof tracestate === 'string' ? { traceparent, tracestate } : { traceparent };
}
