/** The standard variables of OpenTelemetry that are read here; its packages read those about transport themselves. */
export interface OpenTelemetryEnvironment {
  readonly OTEL_SDK_DISABLED: boolean;
  readonly OTEL_SERVICE_NAME: string;
  readonly OTEL_RESOURCE_ATTRIBUTES: string;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT: string;
  readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: string;
  readonly OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: string;
  readonly OTEL_EXPORTER_OTLP_HEADERS: string;
  readonly OTEL_TRACES_EXPORTER: 'otlp' | 'none';
  readonly OTEL_METRICS_EXPORTER: 'otlp' | 'none';
  readonly OTEL_TRACES_SAMPLER: string;
  readonly OTEL_TRACES_SAMPLER_ARG: number;
  readonly OTEL_METRIC_EXPORT_INTERVAL: number;
  readonly OTEL_BSP_SCHEDULE_DELAY: number;
}

export const samplers = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio',
] as const;

/**
 * What is sent where.
 *
 * Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter and …/otel/configuration/sdk-environment-variables
 */
export function openTelemetrySettings(environment: OpenTelemetryEnvironment) {
  const { OTEL_SDK_DISABLED: isDisabled, OTEL_EXPORTER_OTLP_ENDPOINT: base } = environment;
  const urlOf = (exporter: 'otlp' | 'none', own: string, path: string) => {
    if (isDisabled || exporter === 'none') return undefined;
    if (own !== '') return own;
    return base === '' ? undefined : `${base.replace(/\/+$/, '')}/${path}`;
  };
  return {
    tracesUrl: urlOf(environment.OTEL_TRACES_EXPORTER, environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, 'v1/traces'),
    metricsUrl: urlOf(environment.OTEL_METRICS_EXPORTER, environment.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, 'v1/metrics'),
    headers: keyValues(environment.OTEL_EXPORTER_OTLP_HEADERS),
    serviceName: environment.OTEL_SERVICE_NAME,
    resourceAttributes: keyValues(environment.OTEL_RESOURCE_ATTRIBUTES),
    sampler: environment.OTEL_TRACES_SAMPLER,
    samplerRatio: environment.OTEL_TRACES_SAMPLER_ARG,
    metricIntervalMs: environment.OTEL_METRIC_EXPORT_INTERVAL,
    spanDelayMs: environment.OTEL_BSP_SCHEDULE_DELAY,
  };
}

/** `key=value` pairs with commas between, their values percent-encoded, as in the header `baggage` of W3C. */
function keyValues(list: string): Record<string, string> {
  const pairs = list
    .split(',')
    .map((pair) => pair.split('='))
    .filter((pair) => pair.length >= 2);
  return Object.fromEntries(pairs.map(([key = '', ...value]) => [key.trim(), decode(value.join('=').trim())]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
