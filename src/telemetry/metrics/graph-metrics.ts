import type { Registry } from 'prom-client';
import type { GraphCounters } from '../../served/graph-counters.ts';
import type { ServedCounters } from '../../served/served-counters.ts';
import { collectCounter, collectGauge } from './collected.ts';
import { CollectedHistogram, type Labels } from './collected-histogram.ts';
import type { ObserveModels } from './observed-models.ts';

const byVersion = ['model', 'version'] as const;

/** Exposes what is counted of the steps of graphs. */
export function exposeGraphs(registry: Registry, served: ServedCounters): void {
  const ofGraphs = <T>(of: (labels: Labels, counters: GraphCounters) => readonly T[]) =>
    served.versions().flatMap(({ labels, counters: { graph } }) => (graph === undefined ? [] : of(labels, graph)));
  new CollectedHistogram({
    registry,
    name: 'inferd_graph_step_duration_seconds',
    help: 'Steps of graphs that have ended',
    series: () =>
      ofGraphs((labels, { durations }) =>
        [...durations].map(([step, counts]) => ({ labels: { ...labels, step }, counts })),
      ),
  });
  collectCounter({
    registry,
    name: 'inferd_graph_steps_total',
    help: 'Steps of graphs by their end: ok, skipped, failed, fell_back or timeout',
    labelNames: [...byVersion, 'step', 'outcome'],
    samples: () =>
      ofGraphs((labels, { outcomes }) =>
        outcomes
          .entries()
          .map(({ key: [step = '', outcome = ''], count }) => [{ ...labels, step, outcome }, count] as const),
      ),
  });
  collectCounter({
    registry,
    name: 'inferd_graph_routes_total',
    help: 'Rows that a switch has sent to each of its arms',
    labelNames: [...byVersion, 'step', 'arm'],
    samples: () =>
      ofGraphs((labels, { routes }) =>
        routes.entries().map(({ key: [step = '', arm = ''], count }) => [{ ...labels, step, arm }, count] as const),
      ),
  });
  collectCounter({
    registry,
    name: 'inferd_graph_rule_errors_total',
    help: 'Rules that could not be decided and counted as false',
    labelNames: [...byVersion, 'step'],
    samples: () =>
      ofGraphs((labels, { ruleErrors }) =>
        ruleErrors.entries().map(({ key: [step = ''], count }) => [{ ...labels, step }, count] as const),
      ),
  });
}

/** Exposes which graphs do not stand on what their members are now. */
export function exposeStaleGraphs(registry: Registry, observeModels: ObserveModels): void {
  collectGauge({
    registry,
    name: 'inferd_graph_stale',
    help: '1 for a graph that does not fit what its members have become and stays with their versions from before',
    labelNames: byVersion,
    samples: () =>
      observeModels().flatMap(({ name: model, versions }) =>
        versions.flatMap(({ version, binding }) =>
          binding === undefined ? [] : [[{ model, version }, Number(binding.stale !== undefined)] as const],
        ),
      ),
  });
}
