import { hostname } from 'node:os';
import { AppError } from '../errors.ts';
import type { DeferredWork } from '../serving/deferred-work.ts';
import type { Storage } from '../storage/storage.ts';
import { createThrottledErrorLog, type ThrottledErrorLog } from '../storage/throttled-error-log.ts';
import { newTimeOrderedId } from '../storage/time-ordered-id.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import type { RepeatingJob } from '../timing/repeating-job.ts';
import { TaskNotices } from './notices.ts';
import type { ReclaimedTasks } from './repository/task-changes.ts';
import type { QuotaLimits } from './repository/task-quota.ts';
import type { TaskRepository } from './repository/task-repository.ts';
import type { ClaimedTask } from './task.ts';
import type { TaskEvent, TaskTally } from './task-tally.ts';
import type { TaskWatch } from './task-watch.ts';
import { WebhookSender, type WebhookSettings } from './webhook/webhook-sender.ts';
import { startMaintenance } from './worker/maintenance.ts';
import { type TaskOutcome, TaskWorker } from './worker/task-worker.ts';

export interface TaskSettings {
  /** Most tasks at the same time; 0: submit only, others do them. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** How often to look for tasks and webhooks that no notice has announced. */
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
  readonly clock: Clock;
  /** When this process last answered a client that waited, by `clock`. */
  readonly lastOnlineMs: () => number;
  readonly log: Log;
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
const reopenMs = 1000;

/** What works on tasks in this process, from the time that the storage is ready: workers, webhooks, notices, maintenance. */
export class TaskProcessing {
  readonly #workerName = `${hostname()}/${process.pid}/${newTimeOrderedId(Date.now())}`;
  readonly #settings: TaskSettings;
  readonly #dependencies: TaskDependencies;
  readonly #works: ReadonlyMap<string, DeferredWork>;
  readonly #tally: TaskTally;
  readonly #watch: TaskWatch;
  readonly #logError: ThrottledErrorLog;
  #repository: TaskRepository | undefined;
  #worker: TaskWorker | undefined;
  #maintenance: RepeatingJob | undefined;
  /** Undefined where no other process works on the database. */
  #notices: TaskNotices | undefined;
  #webhooks: WebhookSender | undefined;
  #opening: Promise<void> | undefined;
  #isClosed = false;
  #stopListening = () => {};

  constructor(
    settings: TaskSettings,
    dependencies: TaskDependencies,
    { tally, watch }: { tally: TaskTally; watch: TaskWatch },
  ) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#works = new Map(dependencies.works.map((work) => [work.name, work]));
    this.#tally = tally;
    this.#watch = watch;
    this.#logError = createThrottledErrorLog(dependencies);
  }

  /** Begins to work as soon as the storage is ready, and goes on whenever it is again. */
  start(): void {
    const { storage } = this.#dependencies;
    this.#stopListening = storage.onReady(() => {
      this.#opening ??= storage.starting(this.#open()).finally(() => {
        this.#opening = undefined;
      });
    });
  }

  /** @throws AppError `STORAGE_UNAVAILABLE` until the storage was ready once */
  get repository(): TaskRepository {
    if (this.#repository !== undefined) return this.#repository;
    // Says why, if it is the storage.
    void this.#dependencies.storage.open;
    const message = 'The tasks are not ready yet';
    throw new AppError('STORAGE_UNAVAILABLE', { message, retryAfterSeconds: 1 });
  }

  /** A new task waits: for this process, or for others where this one has no room. */
  offer(id: string, delaySeconds: number): void {
    if (delaySeconds > 0) {
      this.#worker?.expectDue(delaySeconds * 1000);
      this.#notices?.tellDelayed();
      return;
    }
    if (this.#worker?.hasRoom !== true) this.#notices?.tellQueued(id);
    this.#worker?.wake();
  }

  /** A task was cancelled. */
  onCancelled(id: string, { hasWebhook }: { hasWebhook: boolean }): void {
    this.#worker?.abort(id);
    this.#tally.count('cancelled');
    this.#tellChanged(id);
    if (hasWebhook) this.#callWebhooks();
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
    await this.#repository?.close();
    this.#repository = undefined;
  }

  async #open(): Promise<void> {
    const { storage, clock } = this.#dependencies;
    try {
      if (this.#repository === undefined) {
        const { TaskRepository: Opened } = await import('./repository/task-repository.ts');
        if (this.#isClosed) return;
        this.#repository = new Opened(storage, { limits: this.#settings.quota, clock });
      }
      await this.#takeUp(this.#repository);
    } catch (thrown) {
      if (this.#isClosed) return;
      this.#logError(thrown, 'The tasks cannot be opened');
      if (storage.state !== 'ready') return;
      clock.setTimer(reopenMs, () => void storage.starting(this.#open()));
    }
  }

  /** Begins to work, or goes on after the storage was away. */
  async #takeUp(repository: TaskRepository): Promise<void> {
    if (this.#isClosed) return;
    const { storage, clock, log } = this.#dependencies;
    const { concurrency, leaseMs } = this.#settings;
    // No other process works on the embedded database: the one that did before is dead.
    if (storage.isEmbedded) {
      await repository.reclaim(this.#workerName);
      await repository.webhooks.reclaim(this.#workerName);
    }
    await repository.sweepValues();
    if (this.#isClosed) return;
    const onReclaimed = (tasks: ReclaimedTasks) => this.#onReclaimed(tasks);
    this.#maintenance ??= startMaintenance(repository, { leaseMs, clock, log, logError: this.#logError, onReclaimed });
    if (!storage.isEmbedded) this.#notices ??= this.#openNotices();
    if (concurrency === 0) return;
    this.#webhooks ??= this.#openWebhooks(repository);
    this.#worker ??= this.#openWorker(repository);
    this.#webhooks.wake();
    this.#worker.wake();
  }

  #openWorker(repository: TaskRepository): TaskWorker {
    const { clock, log, lastOnlineMs } = this.#dependencies;
    const { concurrency, leaseMs, pollMs, maxResultBytes } = this.#settings;
    return new TaskWorker(
      { name: this.#workerName, concurrency, leaseMs, pollMs, maxResultBytes, works: this.#works },
      {
        repository,
        clock,
        log,
        logError: this.#logError,
        random: Math.random,
        lastOnlineMs,
        onChange: (task, outcome) => this.#onOutcome(task, outcome),
      },
    );
  }

  #openWebhooks({ webhooks }: TaskRepository): WebhookSender {
    const { clock, log } = this.#dependencies;
    const { pollMs, webhooks: settings } = this.#settings;
    const onLeft = () => this.#notices?.tellWebhooks();
    const others = { worker: this.#workerName, clock, log, logError: this.#logError, pollMs, onLeft };
    return new WebhookSender(settings, { repository: webhooks, ...others });
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
      onDelayed: () => {
        this.#worker?.hearDelayed();
        this.#webhooks?.hearDelayed();
      },
      onWebhooks: () => this.#webhooks?.wake(),
      onGap: () => {
        this.#watch.lookAtAll();
        this.#worker?.wake();
        this.#webhooks?.wake();
      },
    });
  }

  #onOutcome({ id, hasWebhook }: ClaimedTask, outcome: TaskOutcome): void {
    this.#tally.count(eventOf[outcome]);
    if (outcome === 'released') this.#tellReleased(id);
    else this.#tellChanged(id);
    if (outcome === 'retried') this.#notices?.tellDelayed();
    if (hasWebhook && (outcome === 'succeeded' || outcome === 'failed')) this.#callWebhooks();
  }

  #onReclaimed({ again, abandoned }: ReclaimedTasks): void {
    this.#worker?.wake();
    for (const id of again) this.#tellReleased(id);
    for (const id of abandoned.keys()) this.#tellChanged(id);
    if (abandoned.values().some((webhook) => webhook !== null)) this.#callWebhooks();
  }

  #callWebhooks(): void {
    if (this.#webhooks === undefined) this.#notices?.tellWebhooks();
    this.#webhooks?.wake();
  }

  #tellReleased(id: string): void {
    this.#watch.look([id]);
    this.#notices?.tellQueued(id);
  }

  #tellChanged(id: string): void {
    this.#watch.look([id]);
    this.#notices?.tellChanged(id);
  }
}
