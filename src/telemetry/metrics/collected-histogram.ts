import { Histogram, type Registry } from 'prom-client';
import type { BucketCounts } from '../../served/bucket-counts.ts';

export type Labels = Readonly<Record<string, string>>;

/** A series of a histogram that is counted outside of prom-client. */
export interface HistogramSeries {
  readonly labels: Labels;
  readonly counts: BucketCounts;
}

export interface CollectedHistogramOptions {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  /** Called at every scrape. */
  readonly series: () => Iterable<HistogramSeries>;
}

/** A histogram in a registry of prom-client whose series are read when it is scraped. */
export class CollectedHistogram extends Histogram {
  readonly #name: string;
  readonly #series: () => Iterable<HistogramSeries>;

  constructor({ registry, name, help, series }: CollectedHistogramOptions) {
    super({ name, help, registers: [registry] });
    this.#name = name;
    this.#series = series;
  }

  override async get(): ReturnType<Histogram['get']> {
    const values = Array.from(this.#series(), (series) => this.#samples(series)).flat();
    return { ...(await super.get()), values };
  }

  #samples({ labels, counts }: HistogramSeries) {
    const cumulative = counts.cumulative();
    const count = cumulative.at(-1) ?? 0;
    const buckets = cumulative.map((value, i) => ({
      metricName: `${this.#name}_bucket`,
      labels: { ...labels, le: counts.bounds[i] ?? '+Inf' },
      value,
    }));
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: counts.sum },
      { metricName: `${this.#name}_count`, labels, value: count },
    ];
  }
}
