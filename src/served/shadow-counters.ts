import { BucketCounts } from './bucket-counts.ts';
import { durationBounds } from './duration-bounds.ts';

export const shadowOutcomes = ['agree', 'disagree', 'failed', 'dropped_busy', 'dropped_size'] as const;

export type ShadowOutcome = (typeof shadowOutcomes)[number];

/** What is counted of a version that gets copies of requests. */
export class ShadowCounters {
  readonly outcomes: Record<ShadowOutcome, number> = {
    agree: 0,
    disagree: 0,
    failed: 0,
    dropped_busy: 0,
    dropped_size: 0,
  };
  /** Of those that were answered, from the inputs to the outputs. */
  readonly duration = new BucketCounts(durationBounds);
}
