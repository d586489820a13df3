import { AppError } from '../errors.ts';
import type { TaskOrder } from '../http/prediction/task-desk.ts';
import type { DeferredContext } from '../serving/deferred-work.ts';
import { newTask, type TaskOptions } from './new-task.ts';
import type { Submitted } from './repository/submitted.ts';
import type { Task, TaskState } from './task.ts';
import { type TaskDependencies, TaskProcessing, type TaskSettings } from './task-processing.ts';
import { type TaskEvent, TaskTally } from './task-tally.ts';
import { TaskWatch } from './task-watch.ts';
import { type Viewer, visible, withoutResult } from './visible-task.ts';

/** Which page of which tasks. */
export interface TaskQuery {
  readonly state: TaskState | undefined;
  readonly model: string | undefined;
  readonly before: string | undefined;
  readonly limit: number;
}

/** Background tasks, as routes and programs use them. What it cannot do without the storage, it refuses. */
export class TaskService {
  readonly #tally = new TaskTally();
  readonly #settings: TaskSettings;
  readonly #dependencies: TaskDependencies;
  readonly #watch: TaskWatch;
  readonly #processing: TaskProcessing;

  constructor(settings: TaskSettings, dependencies: TaskDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#watch = new TaskWatch({ find: (ids) => this.#repository.find(ids), clock: dependencies.clock });
    this.#processing = new TaskProcessing(settings, dependencies, { tally: this.#tally, watch: this.#watch });
  }

  /** Begins to work as soon as the storage is ready, and goes on whenever it is again. */
  start(): void {
    this.#processing.start();
  }

  /** How often what has happened to tasks in this process. */
  events(): Iterable<readonly [TaskEvent, number]> {
    return this.#tally.entries();
  }

  get storageIsReady(): boolean {
    return this.#dependencies.storage.state === 'ready';
  }

  /**
   * Keeps an order as a task.
   *
   * @throws AppError `STORAGE_UNAVAILABLE`, `STORAGE_FULL`, `IDEMPOTENCY_CONFLICT`, `TASK_QUOTA_EXCEEDED`, `TASKS_FULL`
   */
  async submit(order: TaskOrder, options: TaskOptions, caller: DeferredContext['caller']): Promise<Submitted> {
    const repository = this.#repository;
    const task = newTask(order, options, { caller, resultTtlSeconds: this.#settings.resultTtlSeconds });
    const isLarge = repository.values.isLarge(task.input);
    const submitted = isLarge
      ? await repository.submit({ ...task, input: undefined }, task.input)
      : await repository.submit(task, undefined);
    if (!submitted.isNew) return submitted;
    this.#tally.count('submitted');
    this.#processing.offer(submitted.id, options.delaySeconds);
    return submitted;
  }

  /** @throws AppError `TASK_NOT_FOUND`, also for a task that is not the viewer's; `STORAGE_UNAVAILABLE` */
  async get(id: string, viewer: Viewer): Promise<Task> {
    const [task] = await this.#repository.find([id]);
    return visible(task, id, viewer);
  }

  /**
   * The JSON of the result, with its task.
   *
   * @throws AppError `TASK_NOT_FOUND`, `TASK_WITHOUT_RESULT`, `STORAGE_UNAVAILABLE`
   */
  async result(id: string, viewer: Viewer): Promise<{ readonly task: Task; readonly json: Buffer }> {
    const found = await this.#repository.findResult(id);
    const task = visible(found?.task, id, viewer);
    if (found?.result !== undefined) return { task, json: found.result };
    throw withoutResult(task);
  }

  /** @throws AppError `STORAGE_UNAVAILABLE` */
  list(query: TaskQuery, { owner, seesAll, models }: Viewer): Promise<Task[]> {
    return this.#repository.list({ ...query, owner: seesAll ? undefined : owner, models });
  }

  /**
   * Cancels a task, at once if this process runs it. One that is cancelled already stays so.
   *
   * @throws AppError `TASK_NOT_FOUND`, `TASK_FINISHED`, `STORAGE_UNAVAILABLE`
   */
  async cancel(id: string, viewer: Viewer): Promise<Task> {
    const { state } = await this.get(id, viewer);
    const cancelled = await this.#repository.cancel(id);
    if (cancelled === undefined) {
      const task = await this.get(id, viewer);
      if (task.state === 'cancelled') return task;
      throw new AppError('TASK_FINISHED', { message: `The task ${id} is ${task.state}`, received: state });
    }
    this.#processing.onCancelled(id, cancelled);
    return cancelled.task;
  }

  /** The task now and after every change, up to its end, the end of `signal` or that of the program. */
  async *follow(id: string, viewer: Viewer, signal: AbortSignal): AsyncGenerator<Task> {
    yield await this.get(id, viewer);
    yield* this.#watch.changes(id, signal);
  }

  /** Tasks that wait and run, of every process; undefined when the storage cannot tell. */
  async count(): Promise<ReadonlyMap<TaskState, number> | undefined> {
    try {
      return await this.#repository.count();
    } catch {
      return undefined;
    }
  }

  /** Ends the streams of changes, since they would keep the server open. */
  endStreams(): void {
    this.#watch.close();
  }

  /** Claims no more, and waits for the tasks that run; those that take long are put back for others. */
  drain(): Promise<void> {
    return this.#processing.drain();
  }

  close(): Promise<void> {
    return this.#processing.close();
  }

  get #repository() {
    return this.#processing.repository;
  }
}
