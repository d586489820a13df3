/**
 * The place of a request in a trace, as the headers of W3C Trace Context carry it.
 *
 * Source: https://www.w3.org/TR/trace-context
 */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}
