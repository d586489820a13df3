import type { BatchEvent } from '../inference/events.ts';
import type { Timings } from '../inference/timings.ts';

/** How often something happened, and how long all of it took, in nanoseconds. */
export interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** Everything that a version of a model has done since the program started; a reload does not begin anew. */
export interface ModelStatistics {
  /** When the last request was answered with outputs, in milliseconds since 1970; 0 if none was. */
  readonly lastInferenceMs: number;
  /** Rows that the model has run. */
  readonly inferenceCount: number;
  /** Runs of the model; requests that shared one count once. */
  readonly executionCount: number;
  /** Requests that were answered with outputs, each from its arrival at `infer` to its outputs. */
  readonly success: Duration;
  /** Requests that were not. */
  readonly fail: Duration;
  /** Waiting for a runner. This and the next three count the requests that succeeded. */
  readonly queue: Duration;
  /** Making tensors of the request. */
  readonly computeInput: Duration;
  /** The run. A request counts the whole of a run that it shares. */
  readonly computeInfer: Duration;
  /** Joining and splitting batches, and the way to the runner and back. */
  readonly computeOutput: Duration;
  /** Runs by their number of rows, the smallest first. */
  readonly batches: readonly BatchStatistics[];
}

export interface BatchStatistics {
  readonly rows: number;
  readonly computeInfer: Duration;
}

/** What a request that succeeded took. */
export interface RequestTimes {
  readonly totalMs: number;
  /** Making tensors of the request. */
  readonly encodeMs: number;
  readonly timings: Timings;
}

class Total {
  count = 0;
  #ms = 0;

  add(durationMs: number): void {
    this.count += 1;
    this.#ms += durationMs;
  }

  get duration(): Duration {
    return { count: this.count, ns: Math.round(this.#ms * 1e6) };
  }
}

class Counters {
  readonly success = new Total();
  readonly fail = new Total();
  readonly queue = new Total();
  readonly computeInput = new Total();
  readonly computeInfer = new Total();
  readonly computeOutput = new Total();
  readonly batches = new Map<number, Total>();
  inferenceCount = 0;
  lastInferenceMs = 0;
}

/** Counts what every version of every model has served: the requests as `infer` sees them, and the runs of the engine. */
export class Statistics {
  readonly #models = new Map<string, Map<string, Counters>>();
  readonly #wallClock: () => number;

  /** @param wallClock milliseconds since 1970 */
  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
  }

  recordSuccess(model: string, version: string, { totalMs, encodeMs, timings }: RequestTimes): void {
    const counters = this.#counters(model, version);
    counters.success.add(totalMs);
    counters.queue.add(timings.queueMs);
    counters.computeInput.add(encodeMs);
    counters.computeInfer.add(timings.inferMs);
    counters.computeOutput.add(timings.batchMs);
    counters.lastInferenceMs = this.#wallClock();
  }

  recordFailure(model: string, version: string, totalMs: number): void {
    this.#counters(model, version).fail.add(totalMs);
  }

  recordBatch(model: string, version: string, { rows, runMs }: Pick<BatchEvent, 'rows' | 'requests' | 'runMs'>): void {
    const counters = this.#counters(model, version);
    counters.inferenceCount += rows;
    let ofSize = counters.batches.get(rows);
    if (ofSize === undefined) {
      ofSize = new Total();
      counters.batches.set(rows, ofSize);
    }
    ofSize.add(runMs);
  }

  /** What the version has done; zeros if it has done nothing. */
  of(model: string, version: string): ModelStatistics {
    const counters = this.#models.get(model)?.get(version) ?? new Counters();
    const { success, fail, queue, computeInput, computeInfer, computeOutput, inferenceCount, lastInferenceMs } =
      counters;
    const batches = [...counters.batches].sort(([a], [b]) => a - b);
    return {
      lastInferenceMs,
      inferenceCount,
      executionCount: batches.reduce((sum, [, { count }]) => sum + count, 0),
      success: success.duration,
      fail: fail.duration,
      queue: queue.duration,
      computeInput: computeInput.duration,
      computeInfer: computeInfer.duration,
      computeOutput: computeOutput.duration,
      batches: batches.map(([rows, total]) => ({ rows, computeInfer: total.duration })),
    };
  }

  #counters(model: string, version: string): Counters {
    let versions = this.#models.get(model);
    if (versions === undefined) {
      versions = new Map();
      this.#models.set(model, versions);
    }
    let counters = versions.get(version);
    if (counters === undefined) {
      counters = new Counters();
      versions.set(version, counters);
    }
    return counters;
  }
}
