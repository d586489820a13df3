import type { Clock } from '../timing/clock.ts';
import { RepeatingJob } from '../timing/repeating-job.ts';
import type { Task } from './task.ts';
import { isFinal } from './task.ts';

const intervalMs = 1000;

export interface TaskWatchDependencies {
  readonly find: (ids: readonly string[]) => Promise<Task[]>;
  readonly clock: Pick<Clock, 'setTimer'>;
}

interface Watcher {
  readonly id: string;
  readonly onTask: (task: Task) => void;
  readonly end: () => void;
}

/** Tells those who wait of the changes of their tasks: at once of those that it is told of, within a second of the others. */
export class TaskWatch {
  readonly #find: TaskWatchDependencies['find'];
  readonly #looks: RepeatingJob;
  readonly #watchers = new Set<Watcher>();
  #isClosed = false;

  constructor({ find, clock }: TaskWatchDependencies) {
    this.#find = find;
    // The storage is away when it throws; it is asked again.
    this.#looks = new RepeatingJob(() => this.#lookAtAll(), { intervalMs, clock, onError: () => {} });
  }

  /** Every change from now on, until the task is finished, `signal` is aborted or the watch is closed. */
  async *changes(id: string, signal: AbortSignal): AsyncGenerator<Task> {
    let latest: Task | undefined;
    let wake = () => {};
    let ended = this.#isClosed || signal.aborted;
    const end = () => {
      ended = true;
      wake();
    };
    const onTask = (task: Task) => {
      latest = task;
      wake();
    };
    const watcher = { id, onTask, end };
    this.#watchers.add(watcher);
    signal.addEventListener('abort', end, { once: true });
    this.look([id]);
    try {
      for (let known = ''; !ended; ) {
        const task = latest;
        if (task === undefined || stateKey(task) === known) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        known = stateKey(task);
        yield task;
        ended ||= isFinal(task.state);
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', end);
    }
  }

  /** Tasks may have changed. */
  look(ids: readonly string[]): void {
    const changed = new Set(ids);
    if (this.#watchers.values().some(({ id }) => changed.has(id))) this.lookAtAll();
  }

  /** Any task may have changed. */
  lookAtAll(): void {
    if (this.#watchers.size > 0) this.#looks.runSoon();
  }

  /** Ends every wait. */
  close(): void {
    this.#isClosed = true;
    void this.#looks.close();
    for (const { end } of this.#watchers) end();
  }

  async #lookAtAll(): Promise<void> {
    const ids = new Set(this.#watchers.values().map(({ id }) => id));
    if (ids.size === 0) return;
    const tasks = new Map((await this.#find([...ids])).map((task) => [task.id, task]));
    for (const { id, onTask } of this.#watchers) {
      const task = tasks.get(id);
      if (task !== undefined) onTask(task);
    }
  }
}

/** Differs whenever there is something to tell. */
export function stateKey({ attempt, state }: Task): string {
  return `${attempt}-${state}`;
}
