import type { Task } from './task.ts';
import { isFinal } from './task.ts';

const intervalMs = 1000;

export interface TaskWatchDependencies {
  readonly find: (ids: readonly string[]) => Promise<Task[]>;
  readonly clock: { setTimer(delayMs: number, callback: () => void): () => void };
}

interface Watcher {
  readonly id: string;
  readonly onTask: (task: Task) => void;
  readonly end: () => void;
}

/** Tells those who wait of the changes of their tasks: at once of those that it is told of, within a second of the others. */
export class TaskWatch {
  readonly #find: TaskWatchDependencies['find'];
  readonly #clock: TaskWatchDependencies['clock'];
  readonly #watchers = new Set<Watcher>();
  #isLooking = false;
  #wantsAnotherLook = false;
  #isClosed = false;
  #cancelTimer: (() => void) | undefined;

  constructor({ find, clock }: TaskWatchDependencies) {
    this.#find = find;
    this.#clock = clock;
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
    if (this.#watchers.size > 0) void this.#lookAtAll();
  }

  /** Ends everybody's waiting. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    for (const { end } of this.#watchers) end();
  }

  async #lookAtAll(): Promise<void> {
    this.#wantsAnotherLook = this.#isLooking;
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    this.#cancelTimer?.();
    try {
      const ids = new Set([...this.#watchers].map(({ id }) => id));
      const tasks = new Map((await this.#find([...ids])).map((task) => [task.id, task]));
      for (const { id, onTask } of this.#watchers) {
        const task = tasks.get(id);
        if (task !== undefined) onTask(task);
      }
    } catch {
      // The storage is away; it is asked again.
    } finally {
      this.#isLooking = false;
      const delayMs = this.#wantsAnotherLook ? 0 : intervalMs;
      if (this.#watchers.size > 0) this.#cancelTimer = this.#clock.setTimer(delayMs, () => void this.#lookAtAll());
    }
  }
}

/** Differs whenever there is something to tell. */
export function stateKey({ attempt, state }: Task): string {
  return `${attempt}-${state}`;
}
