import type { CacheReport } from './cache-report.ts';

/** Name of the header, and of the metadata of gRPC. */
export const cacheStatusHeader = 'cache-status';

/**
 * What the cache did, as `Cache-Status` says it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9211
 */
export function cacheStatus({ units, hits, collapsed, stored, ttlMs, bypass }: CacheReport): string {
  if (bypass === 'configuration') return 'inferd; fwd=bypass';
  if (bypass === 'request') return stored > 0 ? 'inferd; fwd=request; stored' : 'inferd; fwd=request';
  if (hits === units && ttlMs !== undefined) return `inferd; hit; ttl=${Math.floor(ttlMs / 1000)}`;
  if (hits > 0) return `inferd; fwd=partial; detail="${hits}/${units}"`;
  const isStored = stored > 0 ? '; stored' : '';
  const isCollapsed = collapsed === units ? '; collapsed' : '';
  return `inferd; fwd=miss${isStored}${isCollapsed}`;
}
