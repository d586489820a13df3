import type { FastifyRequest } from 'fastify';
import type { TraceContext } from '../../telemetry/tracing.ts';
import { readTraceContext } from '../../transport/trace-context.ts';

/** What to hand on to the programs that work for the request: its own span, or, when it has none, what its client sent. */
export function traceContextOf(request: FastifyRequest): TraceContext | undefined {
  return request.span?.context ?? readTraceContext(request.headers);
}
