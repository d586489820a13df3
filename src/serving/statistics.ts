import type { BucketCounts } from '../served/bucket-counts.ts';
import type { GraphCounters } from '../served/graph-counters.ts';
import type { ServedCounters } from '../served/served-counters.ts';
import type { Total } from '../served/total.ts';
import { VersionCounters } from '../served/version-counters.ts';

/** How often something happened, and how long all of it took, in nanoseconds. */
export interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** Everything that a version of a model has done since it was loaded first; a reload does not begin anew, an unload forgets it. */
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
  /** Requests all of which the cache had, and looking them up. */
  readonly cacheHit: Duration;
  /** Requests that were looked up in the cache and not all there. */
  readonly cacheMiss: Duration;
  /** Runs by their number of rows, the smallest first. */
  readonly batches: readonly BatchStatistics[];
}

export interface BatchStatistics {
  readonly rows: number;
  readonly computeInfer: Duration;
}

/** What has been counted of every version, as the Open Inference Protocol has it. */
export class Statistics {
  readonly #served: ServedCounters;

  constructor(served: ServedCounters) {
    this.#served = served;
  }

  /** What the version has done; zeros if it has done nothing. */
  of(model: string, version: string): ModelStatistics {
    const { total, failures, queue, encode, infer, batch, batchRows, runs, lastInferenceMs, asStep, graph, cache } =
      this.#served.of(model, version) ?? new VersionCounters();
    const failed = [...failures.values(), ...(asStep === undefined ? [] : [asStep.failed])];
    return {
      lastInferenceMs,
      inferenceCount: batchRows.sum + rowsOf(graph),
      executionCount: batchRows.count + answersOf(graph),
      success: durationOf(total, asStep?.total),
      fail: {
        count: failed.map(({ count }) => count).reduce(add, 0),
        ns: nanoseconds(failed.map(({ ms }) => ms).reduce(add, 0)),
      },
      queue: durationOf(queue, asStep?.queue),
      computeInput: durationOf(encode, asStep?.encode),
      computeInfer: durationOf(infer, asStep?.infer),
      computeOutput: durationOf(batch, asStep?.batch),
      cacheHit: totalOf(cache?.hits),
      cacheMiss: totalOf(cache?.misses),
      // What is made of others runs nothing itself: a request of a client stands for a run.
      batches: [...(graph === undefined ? runs : graph.answers)]
        .sort(([a], [b]) => a - b)
        .map(([rows, { count, ms }]) => ({ rows, computeInfer: { count, ns: nanoseconds(ms) } })),
    };
  }
}

function rowsOf(graph: GraphCounters | undefined): number {
  return [...(graph?.answers ?? [])].map(([rows, { count }]) => rows * count).reduce(add, 0);
}

function answersOf(graph: GraphCounters | undefined): number {
  return [...(graph?.answers ?? [])].map(([, { count }]) => count).reduce(add, 0);
}

/**
 * @param counts in seconds
 * @param asStep what other models have asked for
 */
function durationOf({ count, sum }: BucketCounts, asStep: Total | undefined): Duration {
  return { count: count + (asStep?.count ?? 0), ns: nanoseconds(sum * 1000 + (asStep?.ms ?? 0)) };
}

function totalOf(total: Total | undefined): Duration {
  return { count: total?.count ?? 0, ns: nanoseconds(total?.ms ?? 0) };
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}

function add(one: number, other: number): number {
  return one + other;
}
