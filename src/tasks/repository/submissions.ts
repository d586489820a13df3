import { AppError } from '../../errors.ts';
import type { Storage } from '../../storage/storage.ts';
import type { NewTask } from '../task.ts';
import { GroupCommit, type GroupLimits } from './group-commit.ts';
import type { LargeValues } from './large-values.ts';
import { accepted, earlierTask, type Submitted } from './submitted.ts';
import { insertTasks } from './task-changes.ts';
import type { TaskQuota } from './task-quota.ts';
import { findByIdempotencyKey } from './task-reads.ts';

export interface SubmissionsDependencies {
  readonly storage: Storage;
  readonly values: LargeValues;
  readonly quota: TaskQuota;
  /** How much one transaction takes. */
  readonly maxGroup: GroupLimits;
}

/** Keeps new tasks, many at a time, as far as the quota allows. */
export class Submissions {
  readonly #dependencies: SubmissionsDependencies;
  readonly #commits: GroupCommit<NewTask, Submitted | AppError>;
  /** Ids of tasks whose files are written, and whose rows are not. */
  readonly #arriving = new Set<string>();

  constructor(dependencies: SubmissionsDependencies) {
    this.#dependencies = dependencies;
    this.#commits = new GroupCommit((tasks) => this.#insert(tasks), {
      ...dependencies.maxGroup,
      bytesOf: ({ input }) => input?.byteLength ?? 0,
    });
  }

  /** Ids of tasks that may be kept soon. */
  get arriving(): ReadonlySet<string> {
    return this.#arriving;
  }

  /**
   * Keeps a task, once: what has the idempotency key of an earlier one is that one.
   *
   * @param large the input, where it goes into a file
   * @throws AppError `IDEMPOTENCY_CONFLICT` when the earlier one asks for something else; `TASK_QUOTA_EXCEEDED`, `TASKS_FULL`
   */
  async add(task: NewTask, large: Buffer | undefined): Promise<Submitted> {
    let leave: (isKept: boolean) => void;
    try {
      leave = await this.#dependencies.quota.enter(task.owner, task.inputBytes);
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

  /** Resolves when nothing is being kept. */
  idle(): Promise<void> {
    return this.#commits.idle();
  }

  /** A task that is submitted again adds nothing, so that no quota refuses it. */
  async #earlier(task: NewTask, refusal: unknown): Promise<Submitted> {
    const { owner, idempotencyKey: key } = task;
    if (key === undefined) throw refusal;
    const outcome = await this.#dependencies.storage.use(async ({ db }) => {
      const earlier = await findByIdempotencyKey(db, owner, key);
      return earlier === undefined ? undefined : earlierTask(db, task);
    });
    if (outcome === undefined) throw refusal;
    return accepted(outcome);
  }

  async #keep(task: NewTask, large: Buffer | undefined): Promise<Submitted> {
    if (large === undefined) return accepted(await this.#commits.add(task));
    const { values } = this.#dependencies;
    this.#arriving.add(task.id);
    try {
      await values.write(task.id, 'input', large);
      const outcome = await this.#commits.add(task);
      if (!('isNew' in outcome && outcome.isNew)) await values.remove(task.id, 'input');
      return accepted(outcome);
    } catch (thrown) {
      // A task whose answer was lost may be kept all the same: if it is not, the file is swept.
      if (!isStorageAway(thrown)) await values.remove(task.id, 'input');
      throw thrown;
    } finally {
      this.#arriving.delete(task.id);
    }
  }

  #insert(tasks: readonly NewTask[]): Promise<readonly (Submitted | AppError)[]> {
    return this.#dependencies.storage.use(async ({ db }) => {
      const added = await insertTasks(db, tasks);
      const outcomes: (Submitted | AppError)[] = [];
      for (const task of tasks) {
        outcomes.push(added.has(task.id) ? { id: task.id, isNew: true } : await earlierTask(db, task));
      }
      return outcomes;
    });
  }
}

function isStorageAway(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'STORAGE_UNAVAILABLE';
}
