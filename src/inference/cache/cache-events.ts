import type { CacheReport } from './cache-report.ts';

/** Why an answer is not kept any more: others needed the room, its time was over, or its model was loaded anew. */
export type EvictionReason = 'size' | 'ttl' | 'reload';

/** How a request was looked up in memory. */
export interface MemoryLookup {
  /** Units that were there. */
  readonly hits: number;
  /** Making the keys and looking them up; 0 where nothing was looked up. */
  readonly ms: number;
}

/** How lookups in the shared level ended, in units. */
export interface SharedLookup {
  readonly hits: number;
  readonly misses: number;
  /** Units that were not looked up, since that failed or took too long. */
  readonly errors: number;
  /** Units that were not looked up, since the shared level rests. */
  readonly skipped: number;
  readonly ms: number;
}

/** What goes on in the cache of one version. The calls must not throw. */
export interface CacheEvents {
  onRequest?(report: CacheReport, lookup: MemoryLookup): void;
  onShared?(lookup: SharedLookup): void;
  /** An answer could not be written to the shared level. */
  onSharedWriteFailed?(): void;
  onEvicted?(reason: EvictionReason, count: number): void;
}
