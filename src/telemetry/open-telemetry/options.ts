import type { Tracing } from '../tracing.ts';

/** What the standard `OTEL_*` variables say. */
export interface OpenTelemetryOptions {
  /** Where traces go, by OTLP over HTTP; undefined for nowhere. */
  readonly tracesUrl: string | undefined;
  /** Where metrics go, by OTLP over HTTP; undefined for nowhere. */
  readonly metricsUrl: string | undefined;
  /** Sent with every export. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly sampler: string;
  /** Part of the traces that the ratio samplers take, from 0 to 1. */
  readonly samplerRatio: number;
  readonly metricIntervalMs: number;
  /** How long an ended span may wait for company. */
  readonly spanDelayMs: number;
  readonly version: string;
}

export interface OpenTelemetry {
  /** Undefined when traces go nowhere. */
  readonly tracing: Tracing | undefined;
  /** Sends what waits. */
  stop(): Promise<void>;
}
