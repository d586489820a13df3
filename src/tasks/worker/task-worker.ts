import { deserialize } from 'node:v8';
import { AppError, toAppError } from '../../errors.ts';
import type { DeferredWork } from '../../serving/deferred-work.ts';
import { backoffMs } from '../../storage/backoff.ts';
import { DueWatch } from '../../storage/leased-rows/due-watch.ts';
import type { ThrottledErrorLog } from '../../storage/throttled-error-log.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import { pause } from '../../timing/pause.ts';
import { RepeatingJob } from '../../timing/repeating-job.ts';
import type { TaskRepository } from '../repository/task-repository.ts';
import type { ClaimedTask, TaskEnd } from '../task.ts';
import { ClaimBackOff } from './claim-back-off.ts';
import { isWorthRetrying, retryDelaySeconds, toTaskError } from './retry.ts';

export interface WorkerOptions {
  /** Names the worker; no other has the same name, ever. */
  readonly name: string;
  /** Most tasks at the same time. */
  readonly concurrency: number;
  /** How long a task belongs to the worker after it has last renewed the lease. */
  readonly leaseMs: number;
  /** How often to look for tasks that no notice has announced. */
  readonly pollMs: number;
  /** Largest JSON of a result; a task with a larger one fails. */
  readonly maxResultBytes: number;
  readonly works: ReadonlyMap<string, DeferredWork>;
}

/** What a worker has made of a task. */
export type TaskOutcome = 'running' | 'succeeded' | 'failed' | 'retried' | 'released' | 'lost';

export interface WorkerDependencies {
  readonly repository: Pick<TaskRepository, 'claim' | 'nextDueMs' | 'renew' | 'finish' | 'requeue'> & {
    readonly values: Pick<TaskRepository['values'], 'read'>;
  };
  readonly clock: Clock;
  /** When this process last answered a client that waited, by `clock`. */
  readonly lastOnlineMs: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Pick<Log, 'warn' | 'error'>;
  readonly logError: ThrottledErrorLog;
  /** Called for every task that began, ended or waits again, for later or (`released`) for others to do now. */
  readonly onChange: (task: ClaimedTask, outcome: TaskOutcome) => void;
}

/**
 * While others wait for predictions, tasks are done a few at a time with pauses between: the models prefer those who wait,
 * but the thread that serves them is one, and it is slow to answer while it is at many tasks.
 */
const courtesy = { onlineForMs: 250, concurrency: 4, pauseMs: 20 };

interface Run {
  readonly task: ClaimedTask;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** Claims tasks and does them, as many at a time as may be, until it is closed. */
export class TaskWorker {
  readonly #options: WorkerOptions;
  readonly #dependencies: WorkerDependencies;
  readonly #running = new Map<string, Run>();
  readonly #backOff: ClaimBackOff;
  readonly #due: DueWatch;
  readonly #claims: RepeatingJob;
  readonly #heartbeat: RepeatingJob;
  #isClosing = false;
  #wantsMore = false;
  #isAnnounced = false;
  #failedClaims = 0;

  constructor(options: WorkerOptions, dependencies: WorkerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { repository, clock, random, logError } = dependencies;
    const look = () => {
      this.#isAnnounced = true;
      this.wake();
    };
    this.#backOff = new ClaimBackOff({ clock, random, look });
    this.#due = new DueWatch({
      clock,
      nextDueMs: () => repository.nextDueMs(),
      onDue: () => this.wake(),
      longestMs: options.pollMs,
    });
    this.#claims = new RepeatingJob(() => this.#claim(), {
      intervalMs: options.pollMs,
      clock,
      onError: (thrown) => {
        logError(thrown, 'No tasks can be claimed');
        this.#failedClaims += 1;
        this.#due.expect(backoffMs(this.#failedClaims));
      },
    });
    this.#heartbeat = new RepeatingJob(() => this.#renew(), {
      intervalMs: options.leaseMs / 3,
      clock,
      onError: (thrown) => logError(thrown, 'The leases of tasks cannot be renewed'),
    });
  }

  /** There may be something to do. */
  wake(): void {
    this.#wantsMore = true;
    if (this.hasRoom) this.#claims.runSoon();
    else this.#waitForRoom();
  }

  /** Whether it would begin with something now. */
  get hasRoom(): boolean {
    return !this.#isClosing && this.#free >= this.#leastClaim;
  }

  /** A task becomes due then. */
  expectDue(delayMs: number): void {
    this.#due.expect(delayMs);
  }

  /** Tasks of other processes wait for their time. */
  hearDelayed(): void {
    this.#due.ask();
  }

  /** Tasks of other processes wait for a worker. */
  hearQueued(ids: readonly string[]): void {
    this.#backOff.add(ids);
  }

  /** Tasks have begun or ended in another process, perhaps some of this one, which has lost them then. */
  hearChanged(ids: readonly string[]): void {
    this.#backOff.remove(ids);
    if (ids.some((id) => this.#running.has(id))) this.#heartbeat.runSoon();
  }

  /** Stops what it does of a task that was cancelled, if it does. */
  abort(id: string): void {
    this.#running.get(id)?.abort.abort(new AppError('CLIENT_GONE', { message: 'The task was cancelled' }));
  }

  /** Claims nothing more, and waits for what it is at; after `patienceMs` that is put back for others. */
  async close(patienceMs: number): Promise<void> {
    this.#isClosing = true;
    this.#backOff.close();
    const cancelTimer = this.#dependencies.clock.setTimer(patienceMs, () => {
      for (const { abort } of this.#running.values()) abort.abort(shuttingDown());
    });
    // The last claim may still bring tasks.
    await this.#claims.close();
    await Promise.all(this.#running.values().map(({ ended }) => ended));
    cancelTimer();
    await Promise.all([this.#heartbeat.close(), this.#due.close()]);
  }

  async #claim(): Promise<void> {
    this.#wantsMore = true;
    while (this.#wantsMore && this.hasRoom) {
      const isAnnounced = this.#isAnnounced;
      this.#wantsMore = false;
      this.#isAnnounced = false;
      const limit = this.#free;
      const { name: worker, leaseMs } = this.#options;
      const tasks = await this.#dependencies.repository.claim(limit, { worker, leaseMs });
      this.#failedClaims = 0;
      // A full claim means that there may be more.
      if (tasks.length === limit) this.#wantsMore = true;
      if (isAnnounced || tasks.length > 0) this.#backOff.recordLook(tasks.length > 0);
      this.#backOff.remove(tasks.map(({ id }) => id));
      for (const task of tasks) this.#begin(task);
      if (this.#isOnline) await pause(this.#dependencies.clock, courtesy.pauseMs);
    }
    // Whatever is due has a claim coming; what is not has its time.
    if (this.#wantsMore) this.#waitForRoom();
    else this.#due.ask();
  }

  /** The end of a task makes room, and so does the end of the courtesy, of which nobody tells. */
  #waitForRoom(): void {
    if (!this.#isClosing && this.#isOnline) this.#due.expect(courtesy.onlineForMs);
  }

  get #isOnline(): boolean {
    const { clock, lastOnlineMs } = this.#dependencies;
    return clock.now() - lastOnlineMs() < courtesy.onlineForMs;
  }

  get #concurrency(): number {
    const { concurrency } = this.#options;
    return this.#isOnline ? Math.min(courtesy.concurrency, concurrency) : concurrency;
  }

  get #free(): number {
    return this.#concurrency - this.#running.size;
  }

  /** Claims of one task each would cost a transaction each: it waits until half of its hands are free. */
  get #leastClaim(): number {
    return Math.max(1, Math.floor(this.#concurrency / 2));
  }

  #begin(task: ClaimedTask): void {
    const abort = new AbortController();
    const ended = this.#run(task, abort.signal)
      .catch((thrown: unknown) => {
        // The task stays claimed, and is reclaimed when its lease has expired.
        this.#dependencies.log.warn({ err: toAppError(thrown), task: task.id }, 'The end of a task cannot be kept');
      })
      .finally(() => {
        this.#running.delete(task.id);
        if (this.#wantsMore) this.wake();
      });
    this.#running.set(task.id, { task, abort, ended });
    this.#dependencies.onChange(task, 'running');
  }

  async #run(task: ClaimedTask, signal: AbortSignal): Promise<void> {
    const { repository, onChange } = this.#dependencies;
    const { id, attempt } = task;
    let done: Pick<TaskEnd, 'result' | 'predictionId'>;
    try {
      done = await this.#work(task, signal);
    } catch (thrown) {
      await this.#fail(task, signal.aborted ? toAppError(signal.reason) : toAppError(thrown), signal);
      return;
    }
    const end = { id, attempt, state: 'succeeded' as const, ...done, error: undefined };
    const counts = await this.#keep(() => repository.finish(end), signal);
    onChange(task, counts ? 'succeeded' : 'lost');
  }

  /** Keeps what a claim came to, however long the storage is away or full, unless the claim is lost meanwhile. */
  async #keep<Outcome>(write: () => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await write();
      } catch (thrown) {
        if (!isStorageTrouble(thrown) || signal.aborted) throw thrown;
        await pause(this.#dependencies.clock, backoffMs(failures), signal);
      }
    }
  }

  async #work({ id, work: name, owner, ownerName, input }: ClaimedTask, signal: AbortSignal) {
    const work = this.#options.works.get(name);
    if (work === undefined) throw new AppError('TASK_UNKNOWN_WORK', { message: `No worker here can do ${name}` });
    const stored = input ?? (await this.#dependencies.repository.values.read(id, 'input'));
    const caller = owner === '' ? undefined : { id: owner, name: ownerName };
    const { result, predictionId } = await work.run(deserialize(stored), { requestId: id, signal, caller });
    return { result: toJson(result, this.#options.maxResultBytes), predictionId };
  }

  async #fail(task: ClaimedTask, error: AppError, signal: AbortSignal): Promise<void> {
    const { id, attempt, failures, retries } = task;
    const { repository, random, log, onChange } = this.#dependencies;
    if (error.code === 'CLIENT_GONE') return;
    if (error.code === 'SHUTTING_DOWN') {
      await repository.requeue({ id, attempt, error: undefined, delaySeconds: 0 });
      onChange(task, 'released');
      return;
    }
    if (isWorthRetrying(error) && failures < retries) {
      const delaySeconds = retryDelaySeconds(failures + 1, random());
      await this.#keep(() => repository.requeue({ id, attempt, error: toTaskError(error), delaySeconds }), signal);
      this.#due.expect(delaySeconds * 1000);
      onChange(task, 'retried');
      return;
    }
    if (error.kind === 'internal') log.error({ err: error, task: id }, 'A task failed');
    const nothing = { result: undefined, predictionId: undefined };
    const end = { id, attempt, state: 'failed' as const, ...nothing, error: toTaskError(error) };
    const counts = await this.#keep(() => repository.finish(end), signal);
    onChange(task, counts ? 'failed' : 'lost');
  }

  async #renew(): Promise<void> {
    const tasks = [...this.#running.values()].map(({ task }) => task);
    if (tasks.length === 0) return;
    const held = await this.#dependencies.repository.renew(tasks, this.#options.leaseMs);
    for (const task of tasks) {
      // A later claim of the same task, which this worker may have by now, is another.
      if (!held.has(task.id) && this.#running.get(task.id)?.task === task) this.abort(task.id);
    }
  }
}

function isStorageTrouble(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.code === 'STORAGE_UNAVAILABLE' || thrown.code === 'STORAGE_FULL');
}

/** @throws AppError `TASK_RESULT_TOO_LARGE` */
function toJson(result: unknown, maxBytes: number): Buffer {
  const text = JSON.stringify(result);
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return Buffer.from(text);
  const message = `The result has ${bytes} bytes, and TASK_RESULT_MAX_BYTES allows ${maxBytes}`;
  throw new AppError('TASK_RESULT_TOO_LARGE', { message, received: bytes, expected: maxBytes });
}

function shuttingDown(): AppError {
  return new AppError('SHUTTING_DOWN', { message: 'The server is shutting down', retryAfterSeconds: 1 });
}
