import { BucketCounts } from './bucket-counts.ts';
import type { CacheCounters } from './cache-counters.ts';
import { durationBounds } from './duration-bounds.ts';
import type { GraphCounters } from './graph-counters.ts';
import type { RemoteCounters } from './remote-counters.ts';
import type { ShadowCounters } from './shadow-counters.ts';
import { Total } from './total.ts';

const rowBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const fillBounds = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];

export const phaseNames = ['parse', 'encode', 'queue', 'batch', 'infer', 'decode'] as const;

/** What is counted of a version as a step of other models. */
export class StepCounters {
  readonly total = new Total();
  readonly encode = new Total();
  readonly queue = new Total();
  readonly batch = new Total();
  readonly infer = new Total();
  readonly failed = new Total();
}

/** Everything that is counted of one version of a model. Of a phase it counts the requests that were answered. */
export class VersionCounters {
  /** Requests that were answered with outputs, each from its arrival at `infer` to its outputs. */
  readonly total = new BucketCounts(durationBounds);
  readonly parse = new BucketCounts(durationBounds);
  readonly encode = new BucketCounts(durationBounds);
  readonly queue = new BucketCounts(durationBounds);
  readonly batch = new BucketCounts(durationBounds);
  readonly infer = new BucketCounts(durationBounds);
  readonly decode = new BucketCounts(durationBounds);
  readonly batchRows = new BucketCounts(rowBounds);
  readonly batchFill = new BucketCounts(fillBounds);
  readonly batchRun = new BucketCounts(durationBounds);
  /** Runs by their number of rows. */
  readonly runs = new Map<number, Total>();
  /** Requests that were not answered, by error code. */
  readonly failures = new Map<string, Total>();
  /** When the last request was answered with outputs, in milliseconds since 1970; 0 if none was. */
  lastInferenceMs = 0;
  restarts = 0;
  /** Rows of shared runs that were run again alone. */
  readonly spotChecks = { equal: 0, different: 0 };
  readonly loads = { success: 0, failure: 0 };
  /** Requests that were steps of other models; undefined while there were none. Runs are above, whoever asked. */
  asStep: StepCounters | undefined;
  /** Requests that a split of the traffic has sent to it, by the reason. */
  readonly routed = { sticky: 0, random: 0, arm_unavailable: 0 };
  /** What is counted of its own steps; undefined while there were none. */
  graph: GraphCounters | undefined;
  /** What is counted of the servers that it is on; undefined while none was asked. */
  remote: RemoteCounters | undefined;
  /** What is counted of copies of requests that it got; undefined while there were none. */
  shadow: ShadowCounters | undefined;
  /** What is counted of its cache; undefined where there is none. */
  cache: CacheCounters | undefined;
}
