import { CacheCounters } from './cache-counters.ts';
import { GraphCounters } from './graph-counters.ts';
import { RemoteCounters } from './remote-counters.ts';
import { ShadowCounters } from './shadow-counters.ts';
import { Total } from './total.ts';
import { StepCounters, VersionCounters } from './version-counters.ts';

/** The models that there are, with their versions. */
export type ListModels = () => readonly {
  readonly name: string;
  readonly versions: readonly { readonly version: string }[];
}[];

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

interface ModelCounters {
  readonly versions: Map<string, VersionCounters>;
  /** Requests that no version could take, by error code. */
  readonly refused: Map<string, number>;
}

/**
 * Counts what every version of every model has served: requests as `infer` sees them, steps of other models, and the runs of
 * the engine. The statistics of the Open Inference Protocol and the metrics read it. A reload does not begin anew; a
 * version that is gone is forgotten.
 */
export class ServedCounters {
  readonly #models = new Map<string, ModelCounters>();
  readonly #wallClock: () => number;
  #listModels: ListModels | undefined;

  /** @param wallClock milliseconds since 1970 */
  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
  }

  /** Has counters for these models only, from now on. @default for all that something is counted of */
  follow(listModels: ListModels): void {
    this.#listModels = listModels;
  }

  recordSuccess(model: string, version: string, { totalMs, encodeMs, timings }: InferenceTimes): void {
    const counters = this.#ofVersion(model, version);
    counters.total.observe(totalMs / 1000);
    counters.encode.observe(encodeMs / 1000);
    counters.queue.observe(timings.queueMs / 1000);
    counters.batch.observe(timings.batchMs / 1000);
    counters.infer.observe(timings.inferMs / 1000);
    counters.lastInferenceMs = this.#wallClock();
  }

  /** Counts a request that was not answered, by the code of its error. */
  recordFailure(model: string, version: string, code: string, totalMs: number): void {
    const { failures } = this.#ofVersion(model, version);
    const total = failures.get(code) ?? new Total();
    failures.set(code, total);
    total.add(totalMs);
  }

  /** Counts a prediction that another model has asked for, which is no request of a client. */
  recordStepSuccess(model: string, version: string, { totalMs, encodeMs, timings }: InferenceTimes): void {
    const counters = this.#ofVersion(model, version);
    const steps = stepsOf(counters);
    steps.total.add(totalMs);
    steps.encode.add(encodeMs);
    steps.queue.add(timings.queueMs);
    steps.batch.add(timings.batchMs);
    steps.infer.add(timings.inferMs);
    counters.lastInferenceMs = this.#wallClock();
  }

  recordStepFailure(model: string, version: string, totalMs: number): void {
    stepsOf(this.#ofVersion(model, version)).failed.add(totalMs);
  }

  /** What is counted of the steps of a graph. */
  graph(model: string, version: string): GraphCounters {
    const counters = this.#ofVersion(model, version);
    counters.graph ??= new GraphCounters();
    return counters.graph;
  }

  /** What is counted of the servers of a remote model. */
  remote(model: string, version: string): RemoteCounters {
    const counters = this.#ofVersion(model, version);
    counters.remote ??= new RemoteCounters();
    return counters.remote;
  }

  /** What is counted of copies of requests that a version gets. */
  shadow(model: string, version: string): ShadowCounters {
    const counters = this.#ofVersion(model, version);
    counters.shadow ??= new ShadowCounters();
    return counters.shadow;
  }

  /** What is counted of the cache of a version. */
  cache(model: string, version: string): CacheCounters {
    const counters = this.#ofVersion(model, version);
    counters.cache ??= new CacheCounters();
    return counters.cache;
  }

  /** Counts a request that no version could take. */
  recordRefusal(model: string, code: string): void {
    // A name that no model has is whatever the client wrote: it must not become a counters.
    if (code === 'MODEL_NOT_FOUND') return;
    const { refused } = this.#ofModel(model);
    refused.set(code, (refused.get(code) ?? 0) + 1);
  }

  /** The phases that only an answer over HTTP has: reading the request, and making the reply. */
  recordCodec(model: string, version: string, { parseMs, decodeMs }: { parseMs: number; decodeMs: number }): void {
    const counters = this.#ofVersion(model, version);
    counters.parse.observe(parseMs / 1000);
    counters.decode.observe(decodeMs / 1000);
  }

  recordRun(model: string, version: string, { rows, maxRows, runMs }: RunFigures): void {
    const counters = this.#ofVersion(model, version);
    counters.batchRows.observe(rows);
    counters.batchFill.observe(rows / maxRows);
    counters.batchRun.observe(runMs / 1000);
    const ofSize = counters.runs.get(rows) ?? new Total();
    counters.runs.set(rows, ofSize);
    ofSize.add(runMs);
  }

  recordRouted(model: string, version: string, reason: keyof VersionCounters['routed']): void {
    this.#ofVersion(model, version).routed[reason] += 1;
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

  /** What is counted of a version; undefined if nothing is. */
  of(model: string, version: string): VersionCounters | undefined {
    return this.#models.get(model)?.versions.get(version);
  }

  /** Forgets what is gone: versions that come and go would pile up for ever. */
  forgetGone(): void {
    this.#follow();
  }

  /** Every version that there is. */
  versions() {
    this.#follow();
    return [...this.#models].flatMap(([model, { versions }]) =>
      [...versions].map(([version, counters]) => ({ labels: { model, version }, counters })),
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
    if (this.#listModels === undefined) return;
    const known = new Map(this.#listModels().map(({ name, versions }) => [name, versions]));
    for (const [model, { versions }] of this.#models) {
      const present = known.get(model);
      if (present === undefined) this.#models.delete(model);
      for (const version of versions.keys()) {
        if (present?.some((candidate) => candidate.version === version) !== true) versions.delete(version);
      }
    }
    for (const [model, versions] of known) for (const { version } of versions) this.#ofVersion(model, version);
  }

  #ofModel(model: string): ModelCounters {
    const found = this.#models.get(model);
    if (found !== undefined) return found;
    const counters = { versions: new Map(), refused: new Map() };
    this.#models.set(model, counters);
    return counters;
  }

  #ofVersion(model: string, version: string): VersionCounters {
    const { versions } = this.#ofModel(model);
    const found = versions.get(version);
    if (found !== undefined) return found;
    const counters = new VersionCounters();
    versions.set(version, counters);
    return counters;
  }
}

function stepsOf(counters: VersionCounters): StepCounters {
  counters.asStep ??= new StepCounters();
  return counters.asStep;
}
