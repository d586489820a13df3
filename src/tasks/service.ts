import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { serialize } from 'node:v8';
import { AppError } from '../errors.ts';
import type { TaskOrder } from '../http/prediction/task-desk.ts';
import type { DeferredContext, DeferredWork } from '../serving/deferred-work.ts';
import type { Storage } from '../storage/storage.ts';
import { newTimeOrderedId } from '../storage/time-ordered-id.ts';
import type { RepeatingJob } from '../timing/repeating-job.ts';
import type { Ledger } from './ledger.ts';
import { startMaintenance } from './maintenance.ts';
import { TaskNotices } from './notices.ts';
import type { Submitted } from './submitted.ts';
import type { Task, TaskState } from './task.ts';
import type { QuotaLimits } from './task-quota.ts';
import { type TaskEvent, TaskTally } from './task-tally.ts';
import { TaskWatch } from './task-watch.ts';
import { createTroubleLog, type TroubleLog } from './trouble-log.ts';
import type { WebhookSettings } from './webhook/webhook-sender.ts';
import { WebhookSender } from './webhook/webhook-sender.ts';
import { type TaskOutcome, TaskWorker } from './worker.ts';

export interface TaskSettings {
  /** Most tasks at the same time; 0: submit only, others do them. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** How often to look for tasks whose time has come, and for those that nobody has told of. */
  readonly pollMs: number;
  /** How long a finished task is kept when its submission does not say. */
  readonly resultTtlSeconds: number;
  /** Largest JSON of a result; a task with a larger one fails. */
  readonly maxResultBytes: number;
  /** How much may wait. */
  readonly quota: QuotaLimits;
  readonly webhooks: WebhookSettings;
}

export interface TaskDependencies {
  readonly storage: Storage;
  readonly works: readonly DeferredWork[];
  readonly clock: { now(): number; setTimer(delayMs: number, callback: () => void): () => void };
  /** When this process last answered somebody who waited, by `clock`. */
  readonly lastOnlineMs: () => number;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
}

/** What can be wished of a task beside its input. */
export interface TaskOptions {
  readonly priority: number;
  readonly delaySeconds: number;
  readonly retries: number;
  readonly ttlSeconds: number | undefined;
  readonly webhook: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** Who looks at tasks. */
export interface Viewer {
  /** Id of the API key; empty without one. */
  readonly owner: string;
  /** Whether the tasks of others are to be seen as well. */
  readonly seesAll: boolean;
  /** Models whose tasks are to be seen; undefined: all. */
  readonly models: readonly string[] | undefined;
}

/** Which page of which tasks. */
export interface TaskQuery {
  readonly state: TaskState | undefined;
  readonly model: string | undefined;
  readonly before: string | undefined;
  readonly limit: number;
}

const eventOf: Readonly<Record<TaskOutcome, TaskEvent>> = {
  running: 'started',
  succeeded: 'succeeded',
  failed: 'failed',
  retried: 'retried',
  released: 'retried',
  lost: 'lost',
};

/** How long a stop waits for the tasks that run, before it puts them back. */
const drainMs = 10_000;

/** Background tasks: takes them, has them done, and tells of them. What it cannot do without the storage, it refuses. */
export class TaskService {
  readonly #workerName = `${hostname()}/${process.pid}/${newTimeOrderedId(Date.now())}`;
  readonly #tally = new TaskTally();
  readonly #settings: TaskSettings;
  readonly #dependencies: TaskDependencies;
  readonly #works: ReadonlyMap<string, DeferredWork>;
  readonly #watch: TaskWatch;
  readonly #logTrouble: TroubleLog;
  #ledger: Ledger | undefined;
  #worker: TaskWorker | undefined;
  #maintenance: RepeatingJob | undefined;
  /** Undefined where nobody else works on the database. */
  #notices: TaskNotices | undefined;
  #webhooks: WebhookSender | undefined;
  #opening: Promise<void> | undefined;
  #isClosed = false;
  #stopListening = () => {};

  constructor(settings: TaskSettings, dependencies: TaskDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#works = new Map(dependencies.works.map((work) => [work.name, work]));
    this.#logTrouble = createTroubleLog(dependencies);
    this.#watch = new TaskWatch({ find: (ids) => this.#open.find(ids), clock: dependencies.clock });
  }

  /** Begins to work as soon as the storage is ready, and goes on whenever it is again. */
  start(): void {
    const { storage } = this.#dependencies;
    this.#stopListening = storage.onReady(() => {
      this.#opening ??= storage.starting(this.#openLedger()).finally(() => {
        this.#opening = undefined;
      });
    });
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
    const ledger = this.#open;
    const input = serialize(order.input);
    const isLarge = ledger.values.isLarge(input);
    const { ttlSeconds = this.#settings.resultTtlSeconds, ...others } = options;
    const { work, model, instances } = order;
    const task = {
      id: newTimeOrderedId(Date.now()),
      ...{ work, model, instances, ttlSeconds },
      owner: caller?.id ?? '',
      ownerName: caller?.name ?? '',
      ...others,
      fingerprint: fingerprint(order, input, options),
      inputBytes: input.byteLength,
      input: isLarge ? undefined : input,
    };
    const submitted = await ledger.submit(task, isLarge ? input : undefined);
    if (submitted.isNew) this.#tally.count('submitted');
    if (options.delaySeconds === 0) this.#offer(submitted);
    return submitted;
  }

  /** @throws AppError `TASK_NOT_FOUND`, also for a task that is not the viewer's; `STORAGE_UNAVAILABLE` */
  async get(id: string, viewer: Viewer): Promise<Task> {
    const [task] = await this.#open.find([id]);
    return visible(task, id, viewer);
  }

  /**
   * The JSON of the result, with its task.
   *
   * @throws AppError `TASK_NOT_FOUND`, `TASK_WITHOUT_RESULT`, `STORAGE_UNAVAILABLE`
   */
  async result(id: string, viewer: Viewer): Promise<{ readonly task: Task; readonly json: Buffer }> {
    const found = await this.#open.findResult(id);
    const task = visible(found?.task, id, viewer);
    if (found?.result !== undefined) return { task, json: found.result };
    throw withoutResult(task);
  }

  /** @throws AppError `STORAGE_UNAVAILABLE` */
  list(query: TaskQuery, { owner, seesAll, models }: Viewer): Promise<Task[]> {
    return this.#open.list({ ...query, owner: seesAll ? undefined : owner, models });
  }

  /**
   * Cancels a task, at once if this process is at it. One that is cancelled already stays so.
   *
   * @throws AppError `TASK_NOT_FOUND`, `TASK_FINISHED`, `STORAGE_UNAVAILABLE`
   */
  async cancel(id: string, viewer: Viewer): Promise<Task> {
    const { state } = await this.get(id, viewer);
    const cancelled = await this.#open.cancel(id);
    if (cancelled === undefined) {
      const task = await this.get(id, viewer);
      if (task.state === 'cancelled') return task;
      throw new AppError('TASK_FINISHED', { message: `The task ${id} is ${task.state}`, received: state });
    }
    this.#worker?.abort(id);
    this.#tally.count('cancelled');
    this.#tellChanged(id);
    return cancelled;
  }

  /** The task now and after every change, up to its end, the end of `signal` or that of the program. */
  async *follow(id: string, viewer: Viewer, signal: AbortSignal): AsyncGenerator<Task> {
    yield await this.get(id, viewer);
    yield* this.#watch.changes(id, signal);
  }

  /** Tasks that wait and run, of every process; undefined when the storage cannot tell. */
  async count(): Promise<ReadonlyMap<TaskState, number> | undefined> {
    return this.#ledger?.count().catch(() => undefined);
  }

  /** Ends the streams of changes, since they would keep the server open. */
  endStreams(): void {
    this.#watch.close();
  }

  /** Claims no more, and waits for the tasks that run; those that take long are put back for others. */
  async drain(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    await Promise.all([this.#worker?.close(drainMs), this.#webhooks?.close(), this.#maintenance?.close()]);
  }

  /** Lets go of the storage. What is being opened ends by itself, at the latest when the storage does. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#notices?.close();
    await this.#ledger?.close();
    this.#ledger = undefined;
  }

  get #open(): Ledger {
    if (this.#ledger !== undefined) return this.#ledger;
    // Says why, if it is the storage.
    void this.#dependencies.storage.open;
    const message = 'The tasks are not ready yet';
    throw new AppError('STORAGE_UNAVAILABLE', { message, retryAfterSeconds: 1 });
  }

  /** A task that waits is for this process, or for others when it has its hands full. */
  #offer({ id, isNew }: Submitted): void {
    if (isNew && this.#worker?.hasRoom !== true) this.#notices?.tellQueued(id);
    this.#worker?.wake();
  }

  #onOutcome(id: string, outcome: TaskOutcome): void {
    this.#tally.count(eventOf[outcome]);
    if (outcome === 'released') this.#tellReleased(id);
    else this.#tellChanged(id);
    if (outcome === 'succeeded' || outcome === 'failed') this.#webhooks?.wake();
  }

  #tellReleased(id: string): void {
    this.#watch.look([id]);
    this.#notices?.tellQueued(id);
  }

  #tellChanged(id: string): void {
    this.#watch.look([id]);
    this.#notices?.tellChanged(id);
  }

  #openNotices(): TaskNotices {
    const { storage, clock, log } = this.#dependencies;
    return new TaskNotices({
      ...{ name: this.#workerName, storage, clock, log },
      onQueued: (ids) => {
        this.#watch.look(ids);
        this.#worker?.hearQueued(ids);
      },
      onChanged: (ids) => {
        this.#watch.look(ids);
        this.#worker?.hearChanged(ids);
      },
      onGap: () => {
        this.#watch.lookAtAll();
        this.#worker?.wake();
      },
    });
  }

  async #openLedger(): Promise<void> {
    const { storage, clock } = this.#dependencies;
    try {
      if (this.#ledger === undefined) {
        const { Ledger: Opened } = await import('./ledger.ts');
        const onError = (error: Error) => this.#logTrouble(error, 'The queue of tasks has trouble');
        const ledger = await Opened.open(storage, { limits: this.#settings.quota, clock, onError });
        if (this.#isClosed) return await ledger.close();
        this.#ledger = ledger;
      }
      await this.#takeUp(this.#ledger);
    } catch (thrown) {
      if (this.#isClosed) return;
      this.#logTrouble(thrown, 'The tasks cannot be opened');
      if (storage.state !== 'ready') return;
      clock.setTimer(1000, () => void storage.starting(this.#openLedger()));
    }
  }

  /** Begins to work on the ledger, or goes on after the storage was away. */
  async #takeUp(ledger: Ledger): Promise<void> {
    if (this.#isClosed) return;
    const { storage, clock, log, lastOnlineMs } = this.#dependencies;
    const { concurrency, leaseMs, pollMs, maxResultBytes, webhooks } = this.#settings;
    // Nobody else works on the embedded database: whoever did before is dead.
    if (storage.isEmbedded) await ledger.takeFromDeadWorkers(this.#workerName);
    await ledger.sweepValues();
    if (this.#isClosed) return;
    const logTrouble = this.#logTrouble;
    const onTakeover = () => this.#worker?.wake();
    this.#maintenance ??= startMaintenance(ledger, { leaseMs, clock, log, logTrouble, onTakeover });
    if (!storage.isEmbedded) this.#notices ??= this.#openNotices();
    if (concurrency === 0) return;
    this.#webhooks ??= new WebhookSender(webhooks, { ledger, clock, log, logTrouble, pollMs });
    this.#worker ??= new TaskWorker(
      { name: this.#workerName, concurrency, leaseMs, pollMs, maxResultBytes, works: this.#works },
      {
        ledger,
        clock,
        log,
        logTrouble,
        random: Math.random,
        lastOnlineMs,
        onChange: (id, outcome) => this.#onOutcome(id, outcome),
      },
    );
    this.#worker.wake();
  }
}

/** What was asked for, whatever it was asked with. */
function fingerprint({ work, model }: TaskOrder, input: Buffer, options: TaskOptions): Buffer {
  const { idempotencyKey: _, ...asked } = options;
  return createHash('sha256')
    .update(JSON.stringify({ work, model, ...asked }))
    .update(input)
    .digest();
}

function visible(task: Task | undefined, id: string, { owner, seesAll, models }: Viewer): Task {
  const isSeen = task !== undefined && (seesAll || task.owner === owner) && (models?.includes(task.model) ?? true);
  if (isSeen) return task;
  throw new AppError('TASK_NOT_FOUND', { message: `There is no task ${id}`, received: id });
}

function withoutResult({ id, state, error }: Task): AppError {
  const why = error === undefined || state !== 'failed' ? '' : ` (${error.code}: ${error.message})`;
  const message = `The task ${id} is ${state}${why}`;
  const mayCome = state === 'queued' || state === 'running';
  return new AppError('TASK_WITHOUT_RESULT', { message, received: state, ...(mayCome && { retryAfterSeconds: 1 }) });
}
