import { Registry } from 'prom-client';
import type { ServedCounters } from '../served/served-counters.ts';
import { exposeCacheContents, exposeCaches } from './metrics/cache-metrics.ts';
import { collectCounter, collectGauge } from './metrics/collected.ts';
import { type ExpositionFormat, writeExposition } from './metrics/exposition.ts';
import { exposeGraphs, exposeStaleGraphs } from './metrics/graph-metrics.ts';
import { HttpMetrics } from './metrics/http-metrics.ts';
import { exposeInference } from './metrics/inference-metrics.ts';
import { exposeModels } from './metrics/model-metrics.ts';
import type { ObserveModels } from './metrics/observed-models.ts';
import { processMetrics } from './metrics/process-metrics.ts';
import { exposeRemoteEndpoints, exposeRemotes } from './metrics/remote-metrics.ts';
import { exposeTraffic } from './metrics/traffic-metrics.ts';
import { exposeTritonNames } from './metrics/triton-metrics.ts';

export interface MetricsOptions {
  /** What is counted of requests, runs and loads. */
  readonly served: ServedCounters;
  /** Version of the program. */
  readonly version: string;
  readonly scheme: 'http' | 'https';
  /** Whether the names of Triton stand beside ours. */
  readonly tritonNames: boolean;
  /** How many log lines have been given up. */
  readonly droppedLogLines: () => number;
}

/** What the metrics look at when they are scraped. */
export interface ObservedServer {
  readonly models: ObserveModels;
  /** Whether the server wants traffic. */
  readonly ready: () => boolean;
}

/** Everything that `GET /metrics` says; docs/metrics.md explains each. */
export class Metrics {
  /** Other parts of the program may add their own metrics. */
  readonly registry = new Registry();
  readonly http: HttpMetrics;
  readonly served: ServedCounters;
  readonly #tritonNames: boolean;
  readonly #process = processMetrics();

  constructor({ served, version, scheme, tritonNames, droppedLogLines }: MetricsOptions) {
    const { registry } = this;
    this.#tritonNames = tritonNames;
    this.served = served;
    exposeInference(registry, served);
    exposeGraphs(registry, served);
    exposeRemotes(registry, served);
    exposeCaches(registry, served);
    this.http = new HttpMetrics(registry, scheme);
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
  }

  /** Adds the metrics of the models and of the server; to be called once, as soon as there are both. */
  observe({ models, ready }: ObservedServer): void {
    const { registry, served } = this;
    exposeModels(registry, models);
    exposeStaleGraphs(registry, models);
    exposeTraffic(registry, served, models);
    exposeRemoteEndpoints(registry, models);
    exposeCacheContents(registry, models);
    collectGauge({
      registry,
      name: 'inferd_ready',
      help: '1 if the server wants traffic',
      labelNames: [],
      samples: () => [[{}, Number(ready())]],
    });
    if (this.#tritonNames) exposeTritonNames(registry, served, models);
  }

  /** Every family with its samples. */
  async families() {
    return [...(await this.registry.getMetricsAsJSON()), ...(await this.#process.getMetricsAsJSON())];
  }

  async write(format: ExpositionFormat): Promise<string> {
    return writeExposition(await this.families(), format);
  }
}
