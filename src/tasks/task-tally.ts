/** What can happen to a task, as far as it is counted. */
export type TaskEvent = 'submitted' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'retried' | 'lost';

/** Counts what has happened to tasks in this process. */
export class TaskTally {
  readonly #counts = new Map<TaskEvent, number>();

  count(event: TaskEvent): void {
    this.#counts.set(event, this.of(event) + 1);
  }

  of(event: TaskEvent): number {
    return this.#counts.get(event) ?? 0;
  }
}
