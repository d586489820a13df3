import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { methodLabel } from '../metrics/http-metrics.ts';
import type { RequestSpan, TracedRequest, TracedRun, TracedStep, Tracing } from '../tracing.ts';
import { fromSpanContext, toSpanContext } from './span-context.ts';

/**
 * Makes a server span of every request, and one of every run that is linked to the spans of its requests.
 *
 * Source of the names: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
 */
export function spanTracing(tracer: Tracer): Tracing {
  return {
    startRequest(request) {
      const parent = request.parent && toSpanContext(request.parent);
      const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
      const name = [methodName(request.method), request.route].filter(Boolean).join(' ');
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes: requestAttributes(request) }, context);
      return requestSpan(span);
    },
    recordRun: (run) => recordRun(tracer, run),
    recordStep: (step) => recordStep(tracer, step),
  };
}

function requestSpan(span: Span): RequestSpan {
  return {
    context: fromSpanContext(span.spanContext()),
    end({ status, model, version }) {
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      if (model !== undefined && version !== undefined) span.setAttributes(modelAttributes({ model, version }));
      // A refusal is no failure of the server's.
      if (status === undefined || status >= 500) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('error.type', status === undefined ? 'client_gone' : String(status));
      }
      span.end();
    },
  };
}

function recordRun(tracer: Tracer, { model, version, rows, requests, startedMs, runMs, traces }: TracedRun): void {
  const contexts = traces.map(toSpanContext).filter((context) => context !== undefined);
  const sampled = contexts.filter(({ traceFlags }) => (traceFlags & 1) === 1);
  // A run that no trace follows is not worth a span; one that many follow belongs to none of them.
  if (sampled.length === 0) return;
  const span = tracer.startSpan(
    `run ${model}`,
    {
      kind: SpanKind.INTERNAL,
      startTime: startedMs,
      links: sampled.map((context) => ({ context })),
      attributes: {
        ...modelAttributes({ model, version }),
        'inferd.batch.rows': rows,
        'inferd.batch.requests': requests,
      },
    },
    ROOT_CONTEXT,
  );
  span.end(startedMs + runMs);
}

/** A child of the span of its request. */
function recordStep(
  tracer: Tracer,
  { graph, name, model, version, arm, outcome, endedMs, ms, trace: of }: TracedStep,
): void {
  const parent = toSpanContext(of);
  if (parent === undefined || (parent.traceFlags & 1) !== 1) return;
  const span = tracer.startSpan(
    `step ${name}`,
    {
      kind: SpanKind.INTERNAL,
      startTime: endedMs - ms,
      attributes: {
        'inferd.graph.name': graph,
        'inferd.step.outcome': outcome,
        ...(arm !== undefined && { 'inferd.step.arm': arm }),
        ...(model !== undefined && version !== undefined && modelAttributes({ model, version })),
      },
    },
    trace.setSpanContext(ROOT_CONTEXT, parent),
  );
  if (outcome === 'failed' || outcome === 'timeout') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endedMs);
}

function requestAttributes(request: TracedRequest): Attributes {
  const { method, route, path, query, scheme, protocolVersion, clientAddress, clientPort, userAgent } = request;
  return {
    'http.request.method': methodLabel(method),
    'url.path': path,
    'url.scheme': scheme,
    'network.protocol.version': protocolVersion,
    ...(methodLabel(method) !== method && { 'http.request.method_original': method }),
    ...(route !== undefined && { 'http.route': route }),
    ...(query !== '' && { 'url.query': query }),
    ...(clientAddress !== undefined && { 'client.address': clientAddress, 'network.peer.address': clientAddress }),
    ...(clientPort !== undefined && { 'network.peer.port': clientPort }),
    ...(userAgent !== undefined && { 'user_agent.original': userAgent }),
  };
}

function modelAttributes({ model, version }: { model: string; version: string }): Attributes {
  return { 'inferd.model.name': model, 'inferd.model.version': version };
}

/** What a span is called for a method that is told apart from no other. */
function methodName(method: string): string {
  return methodLabel(method) === method ? method : 'HTTP';
}
