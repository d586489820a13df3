import { createTraceState, isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import type { TraceContext } from '../tracing.ts';

/** Reads `traceparent` (version, trace id, span id, flags); undefined if its ids are zeros, or its version is forbidden. */
export function toSpanContext({ traceparent, tracestate }: TraceContext): SpanContext | undefined {
  const [version, traceId = '', spanId = '', flags = '00'] = traceparent.split('-');
  const spanContext: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
  return version !== 'ff' && isSpanContextValid(spanContext) ? spanContext : undefined;
}

export function fromSpanContext({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  const tracestate = traceState?.serialize();
  return tracestate === undefined || tracestate === '' ? { traceparent } : { traceparent, tracestate };
}
