import type { Metrics } from './metrics.ts';
import type { OpenTelemetry, OpenTelemetryOptions } from './open-telemetry/options.ts';

/** Loads OpenTelemetry if something is to be sent: its packages take some 50 MB that other servers should not pay for. */
export async function startOpenTelemetry(
  options: OpenTelemetryOptions,
  metrics: Metrics | undefined,
): Promise<OpenTelemetry | undefined> {
  if (options.tracesUrl === undefined && options.metricsUrl === undefined) return undefined;
  const { createOpenTelemetry } = await import('./open-telemetry/exporter.ts');
  return createOpenTelemetry(options, metrics);
}
