import type { RequestHeaders } from '../predictor.ts';

/** What a client wants of the cache. */
export interface CacheDirectives {
  /** Whether an answer from before will do. */
  readonly read: boolean;
  /** Whether the answer may be kept. */
  readonly store: boolean;
}

const all: CacheDirectives = { read: true, store: true };

/** Reads `Cache-Control` of a request: `no-cache` and `no-store`; other directives mean nothing here. */
export function cacheDirectives(headers: RequestHeaders | undefined): CacheDirectives {
  const value = headers?.get('cache-control');
  if (value === undefined) return all;
  const directives = value.split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.includes('no-store')) return { read: false, store: false };
  return directives.includes('no-cache') ? { read: false, store: true } : all;
}
