import { Gauge, type Registry } from 'prom-client';
import { collectCounter, collectGauge } from './collected.ts';

/** What the metrics ask of the background tasks. */
export interface ObservedTasks {
  /** How often what has happened in this process. */
  events(): Iterable<readonly [event: string, count: number]>;
  /** Unfinished tasks of every process by state; undefined when the storage cannot tell. */
  count(): Promise<ReadonlyMap<string, number> | undefined>;
  readonly storageIsReady: boolean;
}

/** Exposes what is known of background tasks and of the storage. */
export function exposeTasks(registry: Registry, tasks: ObservedTasks): void {
  collectGauge({
    registry,
    name: 'inferd_storage_ready',
    help: '1 if the storage can be used',
    labelNames: [],
    samples: () => [[{}, Number(tasks.storageIsReady)]],
  });
  collectCounter({
    registry,
    name: 'inferd_task_events_total',
    help: 'What has happened to background tasks in this process',
    labelNames: ['event'],
    samples: () => [...tasks.events()].map(([event, count]) => [{ event }, count] as const),
  });
  new Gauge({
    name: 'inferd_tasks',
    help: 'Unfinished background tasks of every process on the storage',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await tasks.count();
      this.reset();
      if (counts === undefined) return;
      for (const state of ['queued', 'running']) this.set({ state }, counts.get(state) ?? 0);
    },
  });
}
