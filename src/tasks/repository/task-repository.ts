import type { OpenStorage, Storage } from '../../storage/storage.ts';
import type { ClaimedTask, NewTask, Task, TaskEnd, TaskState } from '../task.ts';
import { addWebhooks, WebhookRepository } from '../webhook/webhook-repository.ts';
import { GroupCommit } from './group-commit.ts';
import { LargeValues } from './large-values.ts';
import { Submissions } from './submissions.ts';
import type { Submitted } from './submitted.ts';
import * as changes from './task-changes.ts';
import { type QuotaLimits, TaskQuota } from './task-quota.ts';
import * as reads from './task-reads.ts';
import { leasedTasks } from './task-rows.ts';

/** A task that this many workers in a row die with is thought to kill them. */
const maxDeaths = 5;
const maxGroup = { maxItems: 200, maxBytes: 16 * 1024 * 1024 };
const sweepSize = 500;
/** From here on the embedded database would rather not have a value. */
const largeBytes = 256 * 1024;

type Database = OpenStorage['db'];

export interface TaskRepositoryOptions {
  readonly limits: QuotaLimits;
  readonly clock: { now(): number };
}

/** Tasks as they are kept, and their webhooks: each change of a task, with what follows from it, is one transaction. */
export class TaskRepository {
  readonly values: LargeValues;
  readonly webhooks: WebhookRepository;
  readonly #storage: Storage;
  readonly #submissions: Submissions;
  readonly #ends: GroupCommit<TaskEnd, boolean>;

  constructor(storage: Storage, { limits, clock }: TaskRepositoryOptions) {
    this.#storage = storage;
    this.webhooks = new WebhookRepository(storage);
    this.values = new LargeValues(storage.dataDir, storage.isEmbedded ? largeBytes : Number.POSITIVE_INFINITY);
    const count = () => storage.use(({ db }) => reads.countWaiting(db));
    const quota = new TaskQuota(limits, { count, clock });
    this.#submissions = new Submissions({ storage, values: this.values, quota, maxGroup });
    this.#ends = new GroupCommit((ends) => this.#finish(ends), {
      ...maxGroup,
      bytesOf: ({ result }) => result?.byteLength ?? 0,
    });
  }

  /** @see Submissions.add */
  submit(task: NewTask, large: Buffer | undefined): Promise<Submitted> {
    return this.#submissions.add(task, large);
  }

  find(ids: readonly string[]): Promise<Task[]> {
    return this.#storage.use(({ db }) => reads.findTasks(db, ids));
  }

  /** A task with the JSON of its result. */
  async findResult(id: string): Promise<{ readonly task: Task; readonly result: Buffer | undefined } | undefined> {
    const found = await this.#storage.use(({ db }) => reads.findResult(db, id));
    if (found?.task.state !== 'succeeded' || found.result !== undefined) return found;
    return { ...found, result: await this.values.read(id, `result-${found.task.attempt}`) };
  }

  list(filter: reads.TaskFilter): Promise<Task[]> {
    return this.#storage.use(({ db }) => reads.listTasks(db, filter));
  }

  count(): Promise<Map<TaskState, number>> {
    return this.#storage.use(({ db }) => reads.countTasks(db));
  }

  /** Claims the next tasks for a worker, most urgent first. */
  claim(limit: number, claim: { worker: string; leaseMs: number }): Promise<ClaimedTask[]> {
    return this.#storage.use(({ db }) => changes.claimTasks(db, { ...claim, limit }));
  }

  /** How long it is until the next task becomes due, in ms; undefined when none waits for its time. */
  nextDueMs(): Promise<number | undefined> {
    return this.#storage.use(({ db }) => leasedTasks.nextDueMs(db));
  }

  /** Extends claims, and gives the ids of the tasks whose latest ones they still are. */
  async renew(claims: readonly Pick<ClaimedTask, 'id' | 'attempt'>[], leaseMs: number): Promise<ReadonlySet<string>> {
    const rows = claims.map(({ id, attempt }) => ({ id, fence: attempt }));
    const held = await this.#storage.use(({ db }) => leasedTasks.renew(db, rows, leaseMs));
    return new Set(held.map(({ id }) => id));
  }

  /**
   * Ends a claim for good; false when another worker has the task by now, or it was cancelled. Where this throws, the end
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

  /** Lets a claimed task wait again. */
  requeue(retry: changes.TaskRetry): Promise<void> {
    return this.#storage.use(({ db }) => changes.requeueTask(db, retry));
  }

  /** Cancels a task that is not finished; undefined when it is, or there is none. */
  async cancel(id: string): Promise<{ readonly task: Task; readonly hasWebhook: boolean } | undefined> {
    const cancelled = await this.#transact(async (db) => {
      const found = await changes.cancelTask(db, id);
      if (found !== undefined) await addWebhooks(db, [[id, found.webhook]]);
      return found;
    });
    if (cancelled === undefined) return undefined;
    await this.values.remove(id, 'input');
    return { task: cancelled.task, hasWebhook: cancelled.webhook !== null };
  }

  /**
   * Lets tasks wait again whose leases have expired.
   *
   * @param survivor the only worker that can be alive; undefined: the leases tell
   */
  async reclaim(survivor?: string): Promise<changes.ReclaimedTasks> {
    const hasExpired = await this.#storage.use(({ db }) => leasedTasks.hasExpired(db, survivor));
    if (!hasExpired) return { again: [], abandoned: new Map() };
    return this.#transact(async (db) => {
      const reclaimed = await changes.reclaimTasks(db, { maxDeaths, limit: sweepSize, survivor });
      await addWebhooks(db, [...reclaimed.abandoned]);
      return reclaimed;
    });
  }

  /** Deletes what has been kept for long enough. */
  async deleteExpired(): Promise<number> {
    const ids = await this.#storage.use(({ db }) => changes.deleteExpired(db, sweepSize));
    await this.values.removeAll(ids);
    return ids.length;
  }

  /** Removes the files of tasks that are not there. */
  sweepValues(): Promise<void> {
    const existing = async (ids: readonly string[]) => new Set((await this.find(ids)).map(({ id }) => id));
    return this.values.sweep(this.#submissions.arriving, existing);
  }

  /** Waits for what is being kept. */
  async close(): Promise<void> {
    await Promise.all([this.#submissions.idle(), this.#ends.idle()]);
  }

  #finish(ends: readonly TaskEnd[]): Promise<readonly boolean[]> {
    return this.#transact(async (db) => {
      const finished = await changes.finishTasks(db, ends);
      await addWebhooks(db, [...finished]);
      return ends.map(({ id }) => finished.has(id));
    });
  }

  /** Whether the task has come to this end, however that was known. */
  async #isEnd({ id, attempt, state }: TaskEnd): Promise<boolean> {
    const [task] = await this.find([id]);
    return task?.attempt === attempt && task.state === state;
  }

  #transact<Result>(work: (db: Database) => Promise<Result>): Promise<Result> {
    return this.#storage.use(({ db }) => db.transaction().execute(work));
  }
}
