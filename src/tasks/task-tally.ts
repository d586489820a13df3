const taskEvents = ['submitted', 'started', 'succeeded', 'failed', 'cancelled', 'retried', 'lost'] as const;

/**
 * What can happen to a task, as far as it is counted. `lost` is work whose task had been cancelled or taken over before
 * it was done.
 */
export type TaskEvent = (typeof taskEvents)[number];

/** Counts what has happened to tasks in this process. */
export class TaskTally {
  readonly #counts = new Map<TaskEvent, number>(taskEvents.map((event) => [event, 0]));

  count(event: TaskEvent): void {
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
  }

  entries(): Iterable<readonly [TaskEvent, number]> {
    return this.#counts.entries();
  }
}
