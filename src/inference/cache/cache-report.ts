/**
 * What a cache did for a prediction. It counts units: rows where the rows of the model are independent, else whole
 * requests.
 */
export interface CacheReport {
  readonly units: number;
  /** Units that were there. */
  readonly hits: number;
  /** Units that have waited for a run that another request had begun. */
  readonly collapsed: number;
  /** Units that are kept from now on. */
  readonly stored: number;
  /** Time until the first of the hits would have been forgotten, in milliseconds; undefined without hits. */
  readonly ttlMs?: number | undefined;
  /** Why nothing was looked up: the client has asked for that, or the cache does not handle such requests. */
  readonly bypass?: 'request' | 'configuration' | undefined;
}

/** Of several predictions for one request. */
export function combineCacheReports(reports: readonly (CacheReport | undefined)[]): CacheReport | undefined {
  const known = reports.filter((report) => report !== undefined);
  const [first, ...others] = known;
  return others.reduce((sum, report) => sum && combined(sum, report), first);
}

function combined(one: CacheReport, other: CacheReport): CacheReport {
  return {
    units: one.units + other.units,
    hits: one.hits + other.hits,
    collapsed: one.collapsed + other.collapsed,
    stored: one.stored + other.stored,
    ttlMs: one.ttlMs === undefined ? other.ttlMs : Math.min(one.ttlMs, other.ttlMs ?? one.ttlMs),
    // A request that was looked up in part was looked up.
    bypass: one.bypass === other.bypass ? one.bypass : undefined,
  };
}
