import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import type { Registry } from 'prom-client';

type Family = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];
type Sample = Family['values'][number] & { readonly metricName?: string };

export interface CollectionTimes {
  /** When counting began. */
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** Names that OpenTelemetry spells in its own way; all others are the same in both worlds. */
const conventionalNames = new Map([
  ['http_server_request_duration_seconds', { name: 'http.server.request.duration', unit: 's' }],
  ['http_server_active_requests', { name: 'http.server.active_requests', unit: '{request}' }],
]);
const conventionalLabels = new Map([
  ['http_request_method', 'http.request.method'],
  ['http_route', 'http.route'],
  ['http_response_status_code', 'http.response.status_code'],
  ['url_scheme', 'url.scheme'],
]);

/** A family of Prometheus as OpenTelemetry has it; undefined for a kind that it has not. */
export function toMetricData(family: Family, { startTime, endTime }: CollectionTimes): MetricData | undefined {
  const { name = family.name, unit = '' } = conventionalNames.get(family.name) ?? {};
  const shared = {
    descriptor: { name, description: family.help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const point = <Value>(labels: Sample['labels'], value: Value) => ({
    startTime,
    endTime,
    attributes: toAttributes(labels),
    value,
  });
  switch (String(family.type)) {
    case 'counter':
      return {
        ...shared,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: family.values.map(({ labels, value }) => point(labels, value)),
      };
    case 'gauge':
      return {
        ...shared,
        dataPointType: DataPointType.GAUGE,
        dataPoints: family.values.map(({ labels, value }) => point(labels, value)),
      };
    case 'histogram':
      return {
        ...shared,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: histograms(family).map(({ labels, value }) => point(labels, value)),
      };
    default:
      return undefined;
  }
}

/** Puts the samples of each series together again: the buckets of Prometheus count everything up to their bounds. */
function histograms({ name, values }: Family) {
  const bySeries = Map.groupBy(values, ({ labels: { le: _, ...labels } }) =>
    JSON.stringify(Object.entries(labels).sort()),
  );
  return [...bySeries.values()].map((samples: Sample[]) => {
    const { le: _, ...labels } = samples[0]?.labels ?? {};
    const buckets = samples.filter(({ metricName }) => metricName === `${name}_bucket`);
    const total = (suffix: string) => samples.find(({ metricName }) => metricName === name + suffix)?.value ?? 0;
    const boundaries = buckets.map((bucket) => Number(bucket.labels.le)).filter(Number.isFinite);
    const counts = buckets.map(({ value }, i) => value - (buckets[i - 1]?.value ?? 0));
    return { labels, value: { buckets: { boundaries, counts }, sum: total('_sum'), count: total('_count') } };
  });
}

function toAttributes(labels: Sample['labels']): Attributes {
  const present = Object.entries(labels).filter(([, value]) => value !== '');
  return Object.fromEntries(
    present.map(([name, value]) => [conventionalLabels.get(name) ?? name, attributeValue(name, value)]),
  );
}

function attributeValue(name: string, value: string | number | undefined): string | number | undefined {
  return name === 'http_response_status_code' ? Number(value) : value;
}
