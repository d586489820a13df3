import type { ObserveModels } from './observed-models.ts';
import { VersionSeries } from './version-series.ts';

/** What a request that was answered took, in milliseconds. */
export interface InferenceTimes {
  readonly totalMs: number;
  readonly encodeMs: number;
  readonly timings: { readonly queueMs: number; readonly batchMs: number; readonly inferMs: number };
}

export interface RunFigures {
  readonly rows: number;
  /** Most rows that the run could have had. */
  readonly maxRows: number;
  readonly runMs: number;
}

interface ModelSeries {
  readonly versions: Map<string, VersionSeries>;
  /** Requests that no version could take, by error code. */
  readonly refused: Map<string, number>;
}

/** Counts requests and runs by model and version, for as long as the version exists. */
export class InferenceSeries {
  readonly #models = new Map<string, ModelSeries>();
  #observeModels: ObserveModels = () => [];

  /** Has series for these models only, from now on. */
  follow(observeModels: ObserveModels): void {
    this.#observeModels = observeModels;
  }

  recordSuccess(model: string, version: string, { totalMs, encodeMs, timings }: InferenceTimes): void {
    const series = this.#ofVersion(model, version);
    series.total.observe(totalMs / 1000);
    series.encode.observe(encodeMs / 1000);
    series.queue.observe(timings.queueMs / 1000);
    series.batch.observe(timings.batchMs / 1000);
    series.infer.observe(timings.inferMs / 1000);
  }

  /** @param version undefined when no version could take the request */
  recordFailure(model: string, version: string | undefined, code: string): void {
    // A name that no model has is whatever the client wrote: it must not become a series.
    if (code === 'MODEL_NOT_FOUND') return;
    const counts = version === undefined ? this.#ofModel(model).refused : this.#ofVersion(model, version).failures;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }

  /** The phases that only an answer over HTTP has: reading the request, and making the reply. */
  recordCodec(model: string, version: string, { parseMs, decodeMs }: { parseMs: number; decodeMs: number }): void {
    const series = this.#ofVersion(model, version);
    series.parse.observe(parseMs / 1000);
    series.decode.observe(decodeMs / 1000);
  }

  recordRun(model: string, version: string, { rows, maxRows, runMs }: RunFigures): void {
    const series = this.#ofVersion(model, version);
    series.batchRows.observe(rows);
    series.batchFill.observe(rows / maxRows);
    series.batchRun.observe(runMs / 1000);
  }

  recordRestart(model: string, version: string): void {
    this.#ofVersion(model, version).restarts += 1;
  }

  recordSpotCheck(model: string, version: string, outcome: 'equal' | 'different'): void {
    this.#ofVersion(model, version).spotChecks[outcome] += 1;
  }

  recordLoad(model: string, version: string, outcome: 'success' | 'failure'): void {
    this.#ofVersion(model, version).loads[outcome] += 1;
  }

  /** Every version that there is. What is gone is forgotten: versions that come and go would pile up for ever. */
  versions() {
    this.#follow();
    return [...this.#models].flatMap(([model, { versions }]) =>
      [...versions].map(([version, series]) => ({ labels: { model, version }, series })),
    );
  }

  /** Requests that no version of a model could take, by model and error code. */
  refused() {
    this.#follow();
    return [...this.#models].flatMap(([model, { refused }]) =>
      [...refused].map(([code, count]) => ({ labels: { model, version: '', code }, count })),
    );
  }

  #follow(): void {
    const known = new Map(this.#observeModels().map(({ name, versions }) => [name, versions]));
    for (const [model, { versions }] of this.#models) {
      const present = known.get(model);
      if (present === undefined) this.#models.delete(model);
      for (const version of versions.keys()) {
        if (present?.some((candidate) => candidate.version === version) !== true) versions.delete(version);
      }
    }
    for (const [model, versions] of known) for (const { version } of versions) this.#ofVersion(model, version);
  }

  #ofModel(model: string): ModelSeries {
    const found = this.#models.get(model);
    if (found !== undefined) return found;
    const series = { versions: new Map(), refused: new Map() };
    this.#models.set(model, series);
    return series;
  }

  #ofVersion(model: string, version: string): VersionSeries {
    const { versions } = this.#ofModel(model);
    const found = versions.get(version);
    if (found !== undefined) return found;
    const series = new VersionSeries();
    versions.set(version, series);
    return series;
  }
}
