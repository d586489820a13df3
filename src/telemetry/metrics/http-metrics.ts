import type { Registry } from 'prom-client';
import { BucketCounts } from '../../served/bucket-counts.ts';
import { collectGauge } from './collected.ts';
import { CollectedHistogram, type HistogramSeries } from './collected-histogram.ts';

/**
 * Upper bounds in seconds: those of the OpenTelemetry conventions, and finer ones below, where most answers are.
 * Source: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration
 */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Methods that are told apart; whatever else a client makes up is `_OTHER`. */
const methods = new Set(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE']);

/** The names of all methods that are told apart, and one for the others. */
export function methodLabel(method: string): string {
  return methods.has(method) ? method : '_OTHER';
}

export interface AnsweredRequest {
  readonly method: string;
  /** Template of the route; undefined for a path that no route has. */
  readonly route: string | undefined;
  /** Undefined when the client went before the answer began. */
  readonly status: number | undefined;
  readonly durationMs: number;
}

/** Counts HTTP requests by route, method and status. */
export class HttpMetrics {
  readonly #scheme: string;
  readonly #active = new Map<string, number>();
  /** By route, status and method. */
  readonly #durations = new Map<string, Map<number, Map<string, BucketCounts>>>();

  constructor(registry: Registry, scheme: 'http' | 'https') {
    this.#scheme = scheme;
    new CollectedHistogram({
      registry,
      name: 'http_server_request_duration_seconds',
      help: 'From the first byte of a request to the last of its reply',
      series: () => this.#series(),
    });
    collectGauge({
      registry,
      name: 'http_server_active_requests',
      help: 'Requests that are being answered',
      labelNames: ['http_request_method', 'url_scheme'],
      samples: () =>
        Array.from(this.#active, ([method, count]) => [
          { http_request_method: method, url_scheme: this.#scheme },
          count,
        ]),
    });
  }

  recordStart(method: string): void {
    this.#addActive(method, 1);
  }

  recordEnd({ method, route = 'unknown', status = 0, durationMs }: AnsweredRequest): void {
    this.#addActive(method, -1);
    const byStatus = getOrAdd(this.#durations, route, () => new Map());
    const byMethod = getOrAdd(byStatus, status, () => new Map());
    getOrAdd(byMethod, methodLabel(method), () => new BucketCounts(bounds)).observe(durationMs / 1000);
  }

  #addActive(method: string, difference: number): void {
    const label = methodLabel(method);
    this.#active.set(label, (this.#active.get(label) ?? 0) + difference);
  }

  *#series(): Iterable<HistogramSeries> {
    for (const [route, byStatus] of this.#durations) {
      for (const [status, byMethod] of byStatus) {
        for (const [method, counts] of byMethod) {
          const labels = {
            http_request_method: method,
            http_route: route,
            http_response_status_code: status === 0 ? '' : String(status),
            url_scheme: this.#scheme,
          };
          yield { labels, counts };
        }
      }
    }
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = create();
  map.set(key, value);
  return value;
}
