import type { Registry } from 'prom-client';
import type { ServedCounters } from '../../served/served-counters.ts';
import { phaseNames, type VersionCounters } from '../../served/version-counters.ts';
import { collectCounter } from './collected.ts';
import { CollectedHistogram, type HistogramSeries, type Labels } from './collected-histogram.ts';

const deadlineCodes = ['DEADLINE_UNREACHABLE', 'DEADLINE_EXCEEDED'];

/** Exposes what is counted of requests, runs and loads. */
export function exposeInference(registry: Registry, served: ServedCounters): void {
  const histogram = (
    name: string,
    help: string,
    of: (labels: Labels, counters: VersionCounters) => HistogramSeries[],
  ) =>
    new CollectedHistogram({
      registry,
      name,
      help,
      series: () => served.versions().flatMap(({ labels, counters }) => of(labels, counters)),
    });
  histogram(
    'inferd_inference_duration_seconds',
    'Answered requests, from validated input to outputs',
    (labels, { total }) => [{ labels, counts: total }],
  );
  histogram('inferd_inference_phase_duration_seconds', 'Answered requests by phase', (labels, counters) =>
    phaseNames.map((phase) => ({ labels: { ...labels, phase }, counts: counters[phase] })),
  );
  histogram('inferd_batch_rows', 'Rows of a run', (labels, { batchRows }) => [{ labels, counts: batchRows }]);
  histogram('inferd_batch_fill_ratio', 'Rows of a run as a part of the most it may have', (labels, { batchFill }) => [
    { labels, counts: batchFill },
  ]);
  histogram('inferd_batch_run_duration_seconds', 'Time of a run', (labels, { batchRun }) => [
    { labels, counts: batchRun },
  ]);

  const byVersion = ['model', 'version'] as const;
  collectCounter({
    registry,
    name: 'inferd_inference_requests_total',
    help: 'Requests by their end: OK, or the error code that refused them',
    labelNames: [...byVersion, 'code'],
    samples: () => [
      ...served.versions().flatMap(({ labels, counters }) => outcomes(labels, counters)),
      ...served.refused().map(({ labels, count }) => [labels, count] as const),
    ],
  });
  collectCounter({
    registry,
    name: 'inferd_inference_deadline_misses_total',
    help: 'Requests that no answer could reach in time',
    labelNames: byVersion,
    samples: () => served.versions().map(({ labels, counters }) => [labels, deadlineMisses(counters)] as const),
  });
  collectCounter({
    registry,
    name: 'inferd_runner_restarts_total',
    help: 'Runner processes that ended unasked and were started anew',
    labelNames: byVersion,
    samples: () => served.versions().map(({ labels, counters }) => [labels, counters.restarts] as const),
  });
  collectCounter({
    registry,
    name: 'inferd_spot_checks_total',
    help: 'Rows of shared runs that were run again alone, by whether the answer was the same',
    labelNames: [...byVersion, 'outcome'],
    samples: () =>
      served
        .versions()
        .flatMap(({ labels, counters }) =>
          Object.entries(counters.spotChecks).map(([outcome, count]) => [{ ...labels, outcome }, count] as const),
        ),
  });
  collectCounter({
    registry,
    name: 'inferd_model_loads_total',
    help: 'Loads since the start of the program, by outcome',
    labelNames: [...byVersion, 'outcome'],
    samples: () =>
      served
        .versions()
        .flatMap(({ labels, counters }) =>
          Object.entries(counters.loads).map(([outcome, count]) => [{ ...labels, outcome }, count] as const),
        ),
  });
}

function outcomes(labels: Labels, { total, failures }: VersionCounters): (readonly [Labels, number])[] {
  const failed = [...failures].map(([code, { count }]) => [{ ...labels, code }, count] as const);
  return [[{ ...labels, code: 'OK' }, total.count], ...failed];
}

function deadlineMisses({ failures }: VersionCounters): number {
  return deadlineCodes.reduce((sum, code) => sum + (failures.get(code)?.count ?? 0), 0);
}
