import { AppError } from '../errors.ts';
import type { OpenStorage, Storage } from '../storage/storage.ts';
import { GroupCommit } from './group-commit.ts';
import { LargeValues } from './large-values.ts';
import { TaskQueue } from './queue.ts';
import * as store from './store.ts';
import { accepted, earlierTask, type Submitted } from './submitted.ts';
import type { ClaimedTask, NewTask, Task, TaskEnd, TaskState } from './task.ts';
import { type QuotaLimits, TaskQuota } from './task-quota.ts';

/** Whoever has this many workers die on it is thought to kill them. */
const maxDeaths = 5;
const maxGroup = { maxItems: 200, maxBytes: 16 * 1024 * 1024 };
const sweepSize = 500;
const webhookLeaseSeconds = 60;
/** Priority of ends that were taken before: new ones come first. */
const toldBefore = -1;
/** From here on the embedded database would rather not have a value. */
const largeBytes = 256 * 1024;

type Database = OpenStorage['db'];

export interface LedgerOptions {
  readonly limits: QuotaLimits;
  readonly clock: { now(): number };
  /** Told of troubles of the queue. */
  readonly onError: (error: Error) => void;
}

/**
 * The tasks and the queue as one: each change of a task, with what it means for the queue, is one transaction, so that a
 * task which is queued has a job, and one which is not has none, whenever the program is killed.
 */
export class Ledger {
  readonly values: LargeValues;
  readonly #storage: Storage;
  readonly #queue: TaskQueue;
  readonly #quota: TaskQuota;
  readonly #submissions: GroupCommit<NewTask, Submitted | AppError>;
  readonly #ends: GroupCommit<TaskEnd, boolean>;
  /** Ids of tasks whose files are written, and whose rows are not. */
  readonly #arriving = new Set<string>();

  private constructor(storage: Storage, queue: TaskQueue, { limits, clock }: Omit<LedgerOptions, 'onError'>) {
    this.#storage = storage;
    const count = () => this.#storage.use(({ db }) => store.countWaiting(db));
    this.#quota = new TaskQuota(limits, { count, clock });
    this.#queue = queue;
    this.values = new LargeValues(storage.dataDir, storage.isEmbedded ? largeBytes : Number.POSITIVE_INFINITY);
    this.#submissions = new GroupCommit((tasks) => this.#insert(tasks), {
      ...maxGroup,
      bytesOf: ({ input }) => input?.byteLength ?? 0,
    });
    this.#ends = new GroupCommit((ends) => this.#finish(ends), {
      ...maxGroup,
      bytesOf: ({ result }) => result?.byteLength ?? 0,
    });
  }

  static async open(storage: Storage, options: LedgerOptions): Promise<Ledger> {
    return new Ledger(storage, await TaskQueue.open(storage, options.onError), options);
  }

  /**
   * Keeps a task, once: what has the idempotency key of an earlier one is that one.
   *
   * @throws AppError `IDEMPOTENCY_CONFLICT` when the earlier one asks for something else; `TASK_QUOTA_EXCEEDED`, `TASKS_FULL`
   */
  async submit(task: NewTask, large: Buffer | undefined): Promise<Submitted> {
    let leave: (isKept: boolean) => void;
    try {
      leave = await this.#quota.enter(task.owner, task.inputBytes);
    } catch (refusal) {
      return this.#earlier(task, refusal);
    }
    let isKept = false;
    try {
      const submitted = await this.#keep(task, large);
      isKept = submitted.isNew;
      return submitted;
    } finally {
      leave(isKept);
    }
  }

  /** What has been kept already is no more when it is handed in again. */
  async #earlier(task: NewTask, refusal: unknown): Promise<Submitted> {
    const { owner, idempotencyKey: key } = task;
    if (key === undefined) throw refusal;
    const outcome = await this.#storage.use(async ({ db }) => {
      const earlier = await store.findByIdempotencyKey(db, owner, key);
      return earlier === undefined ? undefined : earlierTask(db, task);
    });
    if (outcome === undefined) throw refusal;
    return accepted(outcome);
  }

  async #keep(task: NewTask, large: Buffer | undefined): Promise<Submitted> {
    if (large === undefined) return accepted(await this.#submissions.add(task));
    this.#arriving.add(task.id);
    try {
      await this.values.write(task.id, 'input', large);
      const outcome = await this.#submissions.add(task);
      if (!('isNew' in outcome && outcome.isNew)) await this.values.remove(task.id, 'input');
      return accepted(outcome);
    } catch (thrown) {
      // A task whose answer was lost may be kept all the same: if it is not, the file is swept.
      if (!isStorageAway(thrown)) await this.values.remove(task.id, 'input');
      throw thrown;
    } finally {
      this.#arriving.delete(task.id);
    }
  }

  find(ids: readonly string[]): Promise<Task[]> {
    return this.#storage.use(({ db }) => store.findTasks(db, ids));
  }

  /** A task with the JSON of its result. */
  async findResult(id: string): Promise<{ readonly task: Task; readonly result: Buffer | undefined } | undefined> {
    const found = await this.#storage.use(({ db }) => store.findResult(db, id));
    if (found?.task.state !== 'succeeded' || found.result !== undefined) return found;
    return { ...found, result: await this.values.read(id, `result-${found.task.attempt}`) };
  }

  list(filter: store.TaskFilter): Promise<Task[]> {
    return this.#storage.use(({ db }) => store.listTasks(db, filter));
  }

  count(): Promise<Map<TaskState, number>> {
    return this.#storage.use(({ db }) => store.countTasks(db));
  }

  /** Takes the next tasks for a worker, most urgent first. */
  claim(limit: number, claim: { worker: string; leaseMs: number }): Promise<ClaimedTask[]> {
    return this.#transact(async (db) => {
      const ids = await this.#queue.take(db, 'tasks', limit);
      return ids.length === 0 ? [] : store.claimTasks(db, ids, claim);
    });
  }

  /** Gives the ids of the tasks that the worker still has. */
  renew(ids: readonly string[], claim: { worker: string; leaseMs: number }): Promise<ReadonlySet<string>> {
    return this.#storage.use(({ db }) => store.renewLeases(db, ids, claim));
  }

  /**
   * Ends a claim for good; false when somebody else has the task by now, or it was cancelled. Where this throws, the end
   * may be kept all the same: it can be given again.
   */
  async finish(end: TaskEnd): Promise<boolean> {
    const { id, attempt, result } = end;
    const isLarge = result !== undefined && this.values.isLarge(result);
    if (isLarge) await this.values.write(id, `result-${attempt}`, result);
    const isFirst = await this.#ends.add(isLarge ? { ...end, result: undefined } : end);
    const counts = isFirst || (await this.#isEnd(end));
    await this.values.remove(id, counts ? 'input' : `result-${attempt}`);
    return counts;
  }

  /** Puts a claimed task back into the queue. */
  async requeue(retry: store.TaskRetry): Promise<void> {
    await this.#transact(async (db) => {
      const task = await store.requeueTask(db, retry);
      if (task === undefined) return;
      const { id, delaySeconds } = retry;
      await this.#queue.add(db, 'tasks', [{ id, priority: task.priority, delaySeconds }]);
    });
  }

  /** Cancels a task that is not finished; undefined when it is, or there is none. */
  async cancel(id: string): Promise<Task | undefined> {
    const task = await this.#transact(async (db) => {
      // The job first, as a claim does: two that take the same rows in different order wait for each other for ever.
      await this.#queue.remove(db, 'tasks', [id]);
      const cancelled = await store.cancelTask(db, id);
      if (cancelled === undefined) return undefined;
      if (cancelled.webhook !== null) await this.#queue.add(db, 'webhooks', [{ id }]);
      return cancelled.task;
    });
    if (task !== undefined) await this.values.remove(id, 'input');
    return task;
  }

  /**
   * Puts back what workers have that were not heard of for too long.
   *
   * @param survivor the only worker that can be alive; undefined: the leases tell
   */
  takeFromDeadWorkers(survivor?: string): Promise<number> {
    return this.#transact(async (db) => {
      const { again, given } = await store.takeFromDeadWorkers(db, { maxDeaths, limit: sweepSize, survivor });
      await this.#queue.add(db, 'tasks', again);
      const ends = given.map(({ id, attempt }) => ({ id, attempt, state: 'failed' as const, ...abandoned }));
      if (ends.length > 0) await this.#end(db, ends);
      return again.length + given.length;
    });
  }

  /** Takes ends of tasks that are to be told; who does not settle them in time has them told again. */
  takeWebhooks(limit: number): Promise<{ readonly task: Task; readonly url: string }[]> {
    return this.#transact(async (db) => {
      const ids = await this.#queue.take(db, 'webhooks', limit);
      if (ids.length === 0) return [];
      // Tasks that are deleted by now have nobody to tell.
      const found = await store.findWebhooks(db, ids);
      const jobs = found.map(({ task: { id } }) => ({ id, priority: toldBefore, delaySeconds: webhookLeaseSeconds }));
      await this.#queue.add(db, 'webhooks', jobs);
      return found;
    });
  }

  /** Gives back ends of tasks that were taken and not told, for others to tell. */
  async returnWebhooks(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#transact(async (db) => {
      await this.#queue.remove(db, 'webhooks', ids);
      const jobs = ids.map((id) => ({ id }));
      await this.#queue.add(db, 'webhooks', jobs);
    });
  }

  /** Says that an end was told, or when to try again. */
  settleWebhook(id: string, retrySeconds: number | undefined): Promise<void> {
    return this.#transact(async (db) => {
      await this.#queue.remove(db, 'webhooks', [id]);
      if (retrySeconds !== undefined) {
        await this.#queue.add(db, 'webhooks', [{ id, priority: toldBefore, delaySeconds: retrySeconds }]);
      }
    });
  }

  /** Deletes what has been kept for long enough. */
  async deleteExpired(): Promise<number> {
    const ids = await this.#storage.use(({ db }) => store.deleteExpired(db, sweepSize));
    await this.values.removeAll(ids);
    return ids.length;
  }

  /** Removes the files of tasks that are not there. */
  sweepValues(): Promise<void> {
    return this.values.sweep(this.#arriving, async (ids) => new Set((await this.find(ids)).map(({ id }) => id)));
  }

  async close(): Promise<void> {
    await Promise.all([this.#submissions.idle(), this.#ends.idle()]);
    await this.#queue.close();
  }

  #insert(tasks: readonly NewTask[]): Promise<readonly (Submitted | AppError)[]> {
    return this.#transact(async (db) => {
      const added = await store.insertTasks(db, tasks);
      await this.#queue.add(
        db,
        'tasks',
        tasks.filter(({ id }) => added.has(id)),
      );
      const outcomes: (Submitted | AppError)[] = [];
      for (const task of tasks) {
        outcomes.push(added.has(task.id) ? { id: task.id, isNew: true } : await earlierTask(db, task));
      }
      return outcomes;
    });
  }

  #finish(ends: readonly TaskEnd[]): Promise<readonly boolean[]> {
    return this.#transact(async (db) => {
      const counted = await this.#end(db, ends);
      return ends.map(({ id }) => counted.has(id));
    });
  }

  /** Whether the task has come to this end, however that was known. */
  async #isEnd({ id, attempt, state }: TaskEnd): Promise<boolean> {
    const [task] = await this.find([id]);
    return task?.attempt === attempt && task.state === state;
  }

  async #end(db: Database, ends: readonly TaskEnd[]): Promise<Map<string, string | null>> {
    const counted = await store.finishTasks(db, ends);
    const announced = [...counted].filter(([, webhook]) => webhook !== null);
    await this.#queue.add(
      db,
      'webhooks',
      announced.map(([id]) => ({ id })),
    );
    return counted;
  }

  #transact<Result>(work: (db: Database) => Promise<Result>): Promise<Result> {
    return this.#storage.use(({ db }) => db.transaction().execute(work));
  }
}

const abandoned = {
  result: undefined,
  predictionId: undefined,
  error: { code: 'TASK_ABANDONED' as const, message: `${maxDeaths} workers in a row died with the task` },
};

function isStorageAway(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'STORAGE_UNAVAILABLE';
}
