import type { Registry } from 'prom-client';
import type { CacheCounters } from '../../served/cache-counters.ts';
import type { ServedCounters } from '../../served/served-counters.ts';
import { collectCounter, collectGauge } from './collected.ts';
import { CollectedHistogram, type Labels } from './collected-histogram.ts';
import type { ObserveModels } from './observed-models.ts';

const byVersion = ['model', 'version'] as const;

/** Exposes what is counted of the caches of models. */
export function exposeCaches(registry: Registry, served: ServedCounters): void {
  const ofCaches = <T>(of: (labels: Labels, counters: CacheCounters) => readonly T[]) =>
    served.versions().flatMap(({ labels, counters: { cache } }) => (cache === undefined ? [] : of(labels, cache)));
  collectCounter({
    registry,
    name: 'inferd_cache_requests_total',
    help: 'Lookups in the caches of models (of rows where rows are independent, else of requests) by level and result: hit, miss, collapsed, bypass or error',
    labelNames: [...byVersion, 'level', 'result'],
    samples: () =>
      ofCaches((labels, { lookups }) =>
        lookups
          .entries()
          .map(({ key: [level = '', result = ''], count }) => [{ ...labels, level, result }, count] as const),
      ),
  });
  new CollectedHistogram({
    registry,
    name: 'inferd_cache_lookup_duration_seconds',
    help: 'Lookups of requests in the caches of models, by level',
    series: () =>
      ofCaches((labels, { durations }) =>
        [...durations].map(([level, counts]) => ({ labels: { ...labels, level }, counts })),
      ),
  });
  collectCounter({
    registry,
    name: 'inferd_cache_evictions_total',
    help: 'Answers that are not kept any more, by reason: size, ttl or reload',
    labelNames: [...byVersion, 'reason'],
    samples: () =>
      ofCaches((labels, { evictions }) =>
        evictions.entries().map(({ key: [reason = ''], count }) => [{ ...labels, reason }, count] as const),
      ),
  });
}

/** Exposes what the caches hold. */
export function exposeCacheContents(registry: Registry, observeModels: ObserveModels): void {
  const gauge = (name: string, help: string, figure: 'entries' | 'bytes') =>
    collectGauge({
      registry,
      name,
      help,
      labelNames: byVersion,
      samples: () =>
        observeModels().flatMap(({ name: model, versions }) =>
          versions.flatMap(({ version, cache }) =>
            cache === undefined ? [] : [[{ model, version }, cache.figures[figure]] as const],
          ),
        ),
    });
  gauge('inferd_cache_entries', 'Answers that are kept in memory', 'entries');
  gauge('inferd_cache_bytes', 'About what the answers take that are kept in memory', 'bytes');
}
