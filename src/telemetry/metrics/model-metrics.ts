import type { Registry } from 'prom-client';
import { collectGauge } from './collected.ts';
import type { Labels } from './collected-histogram.ts';
import { modelStates, type ObservedStats, type ObservedVersion, type ObserveModels } from './observed-models.ts';

/** The states of a runner of a model that is loaded. */
const servingStates = ['starting', 'ready', 'busy', 'restarting'] as const;

type Samples = (readonly [labels: Labels, value: number])[];

/** Exposes the state of every version: its queue, its runners, and what it has learned of its costs. */
export function exposeModels(registry: Registry, observeModels: ObserveModels): void {
  const byVersion = ['model', 'version'] as const;
  const gauge = (
    name: string,
    help: string,
    { label, of }: { label?: string; of: (version: ObservedVersion, labels: Labels) => Samples },
  ) =>
    collectGauge({
      registry,
      name,
      help,
      labelNames: label === undefined ? byVersion : [...byVersion, label],
      samples: () =>
        observeModels().flatMap(({ name: model, versions }) =>
          versions.flatMap((version) => of(version, { model, version: version.version })),
        ),
    });
  const loadedGauge = (name: string, help: string, value: (stats: ObservedStats) => number | undefined) =>
    gauge(name, help, {
      of: ({ engine }, labels) => {
        const figure = engine === undefined ? undefined : value(engine.stats());
        return figure === undefined ? [] : [[labels, figure]];
      },
    });

  gauge('inferd_model_state', '1 for the state of the version, 0 for the others', {
    label: 'state',
    of: ({ state }, labels) => modelStates.map((one) => [{ ...labels, state: one }, Number(one === state)]),
  });
  gauge('inferd_model_load_duration_seconds', 'How long the last load took, with its warm-up', {
    of: ({ loadMs }, labels) => (loadMs === undefined ? [] : [[labels, loadMs / 1000]]),
  });
  gauge('inferd_queue_limit_rows', 'Rows that may wait for a runner', {
    of: ({ engine, manifest }, labels) => (engine === undefined ? [] : [[labels, manifest.batching.maxQueueRows]]),
  });
  loadedGauge('inferd_queue_rows', 'Rows that wait for a runner', ({ queueRows }) => queueRows);
  loadedGauge(
    'inferd_queue_background_rows',
    'Rows that wait in the background, until no other request needs a runner',
    ({ backgroundRows }) => backgroundRows,
  );
  loadedGauge('inferd_queue_bytes', 'Bytes that wait for a runner', ({ queueBytes }) => queueBytes);
  loadedGauge(
    'inferd_queue_oldest_wait_seconds',
    'How long the oldest waiting request has waited; 0 if none waits',
    ({ oldestWaitMs }) => oldestWaitMs / 1000,
  );
  loadedGauge(
    'inferd_model_cost_per_row_seconds',
    'What a row adds to a run, as learned',
    ({ cost }) => cost && cost.perRowMs / 1000,
  );
  loadedGauge(
    'inferd_model_cost_per_run_seconds',
    'What a run costs besides its rows, as learned',
    ({ cost }) => cost && cost.perRunMs / 1000,
  );
  gauge('inferd_runners', 'Runner processes by state', {
    label: 'state',
    of: ({ engine }, labels) => {
      const runners = engine?.stats().runners;
      if (runners === undefined) return [];
      return servingStates.map((state) => [
        { ...labels, state },
        runners.filter((runner) => runner.state === state).length,
      ]);
    },
  });
  gauge('inferd_runner_resident_memory_bytes', 'Resident memory of a runner process after its last run', {
    label: 'runner',
    of: ({ engine }, labels) =>
      (engine?.stats().runners ?? []).map(({ rssBytes }, index) => [{ ...labels, runner: String(index) }, rssBytes]),
  });
}
