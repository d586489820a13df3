import { Counter, Gauge, type Registry } from 'prom-client';
import type { Labels } from './collected-histogram.ts';

export interface CollectedOptions {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Called at every scrape: every series with its value. */
  readonly samples: () => Iterable<readonly [labels: Labels, value: number]>;
}

/** A counter that is counted outside of prom-client. A series that is given no more is gone. */
export function collectCounter(options: CollectedOptions): void {
  const { registry, name, help, labelNames, samples } = options;
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of samples()) this.inc(labels, value);
    },
  });
}

/** A gauge that is read when it is scraped. A series that is given no more is gone. */
export function collectGauge(options: CollectedOptions): void {
  const { registry, name, help, labelNames, samples } = options;
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of samples()) this.set(labels, value);
    },
  });
}
