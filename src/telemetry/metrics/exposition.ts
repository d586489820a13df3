import type { Registry } from 'prom-client';

type Family = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];

/** The formats of https://prometheus.io/docs/instrumenting/exposition_formats and https://prometheus.io/docs/specs/om. */
export const expositionFormats = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;

export type ExpositionFormat = keyof typeof expositionFormats;

/** The format that an `Accept` header asks for; the older one, which every scraper reads, when it does not say. */
export function acceptedFormat(accept: string | undefined): ExpositionFormat {
  return accept?.includes('application/openmetrics-text') ? 'openMetrics' : 'text';
}

/** Writes the families. prom-client's own writer renames its counters for good when it writes OpenMetrics once. */
export function writeExposition(families: readonly Family[], format: ExpositionFormat): string {
  const isOpenMetrics = format === 'openMetrics';
  const lines = families.flatMap((family) => familyLines(family, isOpenMetrics));
  return `${lines.join('\n')}\n${isOpenMetrics ? '# EOF\n' : ''}`;
}

function familyLines({ name, help, type, values }: Family, isOpenMetrics: boolean): string[] {
  const kind = String(type);
  // The name of a counter in OpenMetrics has no suffix, and that of its sample always has one.
  const familyName = isOpenMetrics && kind === 'counter' ? name.replace(/_total$/, '') : name;
  const sampleName = isOpenMetrics && kind === 'counter' ? `${familyName}_total` : name;
  const samples = values.map((sample) => {
    const own = 'metricName' in sample && typeof sample.metricName === 'string' ? sample.metricName : sampleName;
    return `${own}${labelText(sample.labels, isOpenMetrics)} ${numberText(sample.value)}`;
  });
  return [`# HELP ${familyName} ${escapeText(help)}`, `# TYPE ${familyName} ${kind}`, ...samples];
}

function labelText(labels: Family['values'][number]['labels'], isOpenMetrics: boolean): string {
  const pairs = Object.entries(labels).map(([name, value = '']) => {
    const text = isOpenMetrics && name === 'le' ? canonicalBound(value) : String(value);
    return `${name}="${escapeText(text).replaceAll('"', '\\"')}"`;
  });
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Bounds are floating-point numbers in OpenMetrics, also where they are whole. */
function canonicalBound(bound: string | number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
