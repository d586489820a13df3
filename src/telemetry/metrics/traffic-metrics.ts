import type { Registry } from 'prom-client';
import type { ServedCounters } from '../../served/served-counters.ts';
import { collectCounter, collectGauge } from './collected.ts';
import { CollectedHistogram } from './collected-histogram.ts';
import type { ObserveModels } from './observed-models.ts';

/** Exposes where a split of the traffic sends requests. */
export function exposeTraffic(registry: Registry, served: ServedCounters, observeModels: ObserveModels): void {
  collectGauge({
    registry,
    name: 'inferd_traffic_share',
    help: 'Part of the requests that is to go to the version, of those that name none; of models whose traffic is split',
    labelNames: ['model', 'version'],
    samples: () =>
      observeModels().flatMap(({ name: model, traffic }) => {
        const weights = Object.entries(traffic?.split ?? {});
        const sum = weights.reduce((total, [, weight]) => total + weight, 0);
        return weights.map(([version, weight]) => [{ model, version }, weight / sum] as const);
      }),
  });
  collectCounter({
    registry,
    name: 'inferd_traffic_requests_total',
    help: 'Requests by the version that they were sent to, and why',
    labelNames: ['model', 'version', 'reason'],
    samples: () =>
      served.versions().flatMap(({ labels, counters: { routed } }) =>
        Object.entries(routed)
          .filter(([, count]) => count > 0)
          .map(([reason, count]) => [{ ...labels, reason }, count] as const),
      ),
  });
  exposeShadows(registry, served);
}

/** Exposes what becomes of copies of requests. */
function exposeShadows(registry: Registry, served: ServedCounters): void {
  const shadows = () =>
    served.versions().flatMap(({ labels, counters: { shadow } }) => (shadow === undefined ? [] : [{ labels, shadow }]));
  collectCounter({
    registry,
    name: 'inferd_shadow_total',
    help: 'Copies of requests for a shadow, by what became of them: agree, disagree, failed, dropped_busy or dropped_size',
    labelNames: ['model', 'version', 'outcome'],
    samples: () =>
      shadows().flatMap(({ labels, shadow }) =>
        Object.entries(shadow.outcomes).map(([outcome, count]) => [{ ...labels, outcome }, count] as const),
      ),
  });
  new CollectedHistogram({
    registry,
    name: 'inferd_shadow_duration_seconds',
    help: 'Copies of requests that were answered, from the inputs to the outputs',
    series: () => shadows().map(({ labels, shadow }) => ({ labels, counts: shadow.duration })),
  });
}
