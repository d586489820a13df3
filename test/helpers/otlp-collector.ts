import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

interface Attribute {
  readonly key: string;
  readonly value: { stringValue?: string; intValue?: number | string; doubleValue?: number };
}

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1: internal, 2: server. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { traceId: string; spanId: string }[];
  /** 2: error. */
  readonly status: { code?: number };
}

interface Points {
  readonly dataPoints: readonly {
    readonly attributes: readonly Attribute[];
    readonly asDouble?: number;
    readonly count?: number | string;
    readonly bucketCounts?: readonly (number | string)[];
    readonly explicitBounds?: readonly number[];
  }[];
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: Points & { readonly isMonotonic: boolean };
  readonly gauge?: Points;
  readonly histogram?: Points;
}

export interface OtlpCollector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Of the last export. */
  readonly metrics: ReadonlyMap<string, ReceivedMetric>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Takes traces and metrics by OTLP over HTTP, as JSON. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = [];
  const metrics = new Map<string, ReceivedMetric>();
  const resource: Record<string, unknown> = {};
  const headers: Record<string, unknown> = {};
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as Export;
    Object.assign(headers, request.headers);
    for (const part of body.resourceSpans ?? body.resourceMetrics ?? []) {
      Object.assign(resource, attributesOf(part.resource));
      for (const scope of part.scopeSpans ?? []) spans.push(...scope.spans);
      for (const scope of part.scopeMetrics ?? []) for (const metric of scope.metrics) metrics.set(metric.name, metric);
    }
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    metrics,
    resource,
    headers,
    [Symbol.asyncDispose]: close,
  };
}

interface Part {
  readonly resource: { attributes: readonly Attribute[] };
  readonly scopeSpans?: readonly { spans: readonly ReceivedSpan[] }[];
  readonly scopeMetrics?: readonly { metrics: readonly ReceivedMetric[] }[];
}

interface Export {
  readonly resourceSpans?: readonly Part[];
  readonly resourceMetrics?: readonly Part[];
}

/** Attributes by name. */
export function attributesOf({ attributes }: { attributes: readonly Attribute[] }): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const number = value.intValue ?? value.doubleValue;
      return [key, value.stringValue ?? (number === undefined ? value : Number(number))];
    }),
  );
}
