import { BucketCounts } from './bucket-counts.ts';
import { durationBounds } from './duration-bounds.ts';
import { KeyedCounts } from './keyed-counts.ts';
import { Total } from './total.ts';

/** Where answers are kept: in the memory of this process, or in the Redis that servers share. */
export type CacheLevel = 'memory' | 'redis';

/** How lookups ended. */
export type CacheResult = 'hit' | 'miss' | 'collapsed' | 'bypass' | 'error';

/** What is counted of the cache of one version. */
export class CacheCounters {
  /** Units by level and result: rows where the rows of the model are independent, else requests. */
  readonly lookups = new KeyedCounts();
  /** Times of lookups, by level. */
  readonly durations = new Map<CacheLevel, BucketCounts>();
  /** Entries that went, by reason. */
  readonly evictions = new KeyedCounts();
  /** Requests all of whose units were there, and the time of looking them up. */
  readonly hits = new Total();
  /** Requests that were looked up and not all there. */
  readonly misses = new Total();

  recordLookups(level: CacheLevel, counts: Readonly<Partial<Record<CacheResult, number>>>): void {
    for (const [result, count] of Object.entries(counts)) if (count > 0) this.lookups.add([level, result], count);
  }

  recordDuration(level: CacheLevel, ms: number): void {
    const durations = this.durations.get(level) ?? new BucketCounts(durationBounds);
    this.durations.set(level, durations);
    durations.observe(ms / 1000);
  }

  recordEvictions(reason: string, count: number): void {
    this.evictions.add([reason], count);
  }
}
