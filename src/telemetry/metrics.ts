import { Registry } from 'prom-client';
import { collectCounter, collectGauge } from './metrics/collected.ts';
import { type ExpositionFormat, writeExposition } from './metrics/exposition.ts';
import { HttpMetrics } from './metrics/http-metrics.ts';
import { exposeInference } from './metrics/inference-metrics.ts';
import { InferenceSeries } from './metrics/inference-series.ts';
import { exposeModels } from './metrics/model-metrics.ts';
import type { ObserveModels } from './metrics/observed-models.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { exposeTritonNames } from './metrics/triton-metrics.ts';

export interface MetricsOptions {
  /** Version of the program. */
  readonly version: string;
  readonly scheme: 'http' | 'https';
  /** Whether the names of Triton stand beside ours. */
  readonly tritonNames: boolean;
  readonly models: ObserveModels;
  /** Whether the server wants traffic. */
  readonly ready: () => boolean;
  /** How many log lines have been given up. */
  readonly droppedLogLines: () => number;
}

/** Everything that `GET /metrics` says; docs/metrics.md explains each. */
export class Metrics {
  /** Other parts of the program may add their own metrics. */
  readonly registry = new Registry();
  readonly http: HttpMetrics;
  readonly inference: InferenceSeries;
  readonly #process = processMetrics();

  constructor({ version, scheme, tritonNames, models, ready, droppedLogLines }: MetricsOptions) {
    const { registry } = this;
    this.inference = new InferenceSeries(models);
    exposeInference(registry, this.inference);
    exposeModels(registry, models);
    this.http = new HttpMetrics(registry, scheme);
    collectGauge({
      registry,
      name: 'inferd_ready',
      help: '1 if the server wants traffic',
      labelNames: [],
      samples: () => [[{}, Number(ready())]],
    });
    collectGauge({
      registry,
      name: 'inferd_build_info',
      help: '1, with the version of the program',
      labelNames: ['version'],
      samples: () => [[{ version }, 1]],
    });
    collectCounter({
      registry,
      name: 'inferd_log_lines_dropped_total',
      help: 'Log lines that were given up because their reader was too slow',
      labelNames: [],
      samples: () => [[{}, droppedLogLines()]],
    });
    if (tritonNames) exposeTritonNames(registry, this.inference, models);
  }

  /** Every family with its samples. */
  async families() {
    return [...(await this.registry.getMetricsAsJSON()), ...(await this.#process.getMetricsAsJSON())];
  }

  async write(format: ExpositionFormat): Promise<string> {
    return writeExposition(await this.families(), format);
  }
}
