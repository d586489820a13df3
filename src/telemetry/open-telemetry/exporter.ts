import { setTimeout } from 'node:timers/promises';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricProducer, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Metrics } from '../metrics.ts';
import { toMetricData } from './metric-data.ts';
import type { OpenTelemetry, OpenTelemetryOptions } from './options.ts';
import { spanTracing } from './span-tracing.ts';

/** How long a stop may wait for the collector. */
const lastExportTimeoutMs = 2000;

/** Sends traces and metrics as the options say. Loading this file loads the packages of OpenTelemetry. */
export function createOpenTelemetry(options: OpenTelemetryOptions, metrics: Metrics | undefined): OpenTelemetry {
  const resource = defaultResource().merge(
    resourceFromAttributes({
      'service.version': options.version,
      ...options.resourceAttributes,
      'service.name': options.serviceName,
    }),
  );
  const tracer = options.tracesUrl === undefined ? undefined : tracerProvider(options.tracesUrl, resource, options);
  const meter =
    options.metricsUrl === undefined || metrics === undefined
      ? undefined
      : meterProvider(options.metricsUrl, resource, { ...options, metrics });
  return {
    tracing: tracer && spanTracing(tracer.getTracer('inferd', options.version)),
    async stop() {
      const sent = Promise.allSettled([tracer?.shutdown(), meter?.shutdown()]);
      // A collector that is gone must not keep the server from stopping.
      await Promise.race([sent, setTimeout(lastExportTimeoutMs, undefined, { ref: false })]);
    },
  };
}

function tracerProvider(url: string, resource: Resource, options: OpenTelemetryOptions): TracerProvider {
  const exporter = new OTLPTraceExporter({ url, headers: options.headers });
  return new TracerProvider({
    resource,
    sampler: samplerOf(options),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: options.spanDelayMs })],
  });
}

function meterProvider(
  url: string,
  resource: Resource,
  { headers, metricIntervalMs, version, metrics }: OpenTelemetryOptions & { metrics: Metrics },
): MeterProvider {
  const exporter = new OTLPMetricExporter({ url, headers });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: metricIntervalMs,
    exportTimeoutMillis: Math.min(metricIntervalMs, 30_000),
    metricProducers: [metricProducer(metrics, resource, version)],
  });
  return new MeterProvider({ resource, readers: [reader] });
}

/** What `GET /metrics` says, when the reader asks for it. */
function metricProducer(metrics: Metrics, resource: Resource, version: string): MetricProducer {
  const startTime = hrTime(Date.now());
  return {
    async collect() {
      const times = { startTime, endTime: hrTime(Date.now()) };
      const families = await metrics.families();
      const data = families.map((family) => toMetricData(family, times)).filter((one) => one !== undefined);
      return {
        resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'inferd', version }, metrics: data }] },
        errors: [],
      };
    },
  };
}

function hrTime(ms: number): [seconds: number, nanoseconds: number] {
  return [Math.trunc(ms / 1000), Math.round((ms % 1000) * 1e6)];
}

function samplerOf({ sampler, samplerRatio }: OpenTelemetryOptions): Sampler {
  const root: Sampler = sampler.endsWith('always_on')
    ? new AlwaysOnSampler()
    : sampler.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(samplerRatio);
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}
