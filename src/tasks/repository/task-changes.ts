import { type Kysely, sql } from 'kysely';
import type { Database } from '../../storage/database.ts';
import type { ClaimedTask, NewTask, Task, TaskEnd, TaskError } from '../task.ts';
import { leasedTasks, publicColumns, toTask } from './task-rows.ts';

type Db = Kysely<Database>;

/** What becomes of the columns of a task at its end. */
const ended = {
  input: sql`NULL`,
  finished_at: sql`now()`,
  expires_at: sql`now() + make_interval(secs => leased.ttl_seconds)`,
};

/** Adds tasks, but for those whose owner has used their idempotency key before. Gives the ids of those that were added. */
export async function insertTasks(db: Db, tasks: readonly NewTask[]): Promise<ReadonlySet<string>> {
  const rows = tasks.map((task) => ({
    id: task.id,
    work: task.work,
    model: task.model,
    owner: task.owner,
    owner_name: task.ownerName,
    priority: task.priority,
    instances: task.instances,
    retries: task.retries,
    idempotency_key: task.idempotencyKey ?? null,
    fingerprint: task.fingerprint,
    input: task.input ?? null,
    input_bytes: task.inputBytes,
    webhook: task.webhook ?? null,
    ttl_seconds: task.ttlSeconds,
    due_at: sql<Date>`now() + make_interval(secs => ${task.delaySeconds})`,
  }));
  const added = await db
    .insertInto('tasks')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute();
  return new Set(added.map(({ id }) => id));
}

/** Claims tasks that are due for a worker, for as long as its lease lasts. */
export async function claimTasks(
  db: Db,
  claim: { worker: string; leaseMs: number; limit: number },
): Promise<ClaimedTask[]> {
  const rows = await leasedTasks.claim(db, claim, {
    set: { started_at: sql`coalesce(leased.started_at, now())` },
    returning: ['work', 'model', 'owner', 'owner_name', 'failures', 'retries', 'input', 'webhook'],
  });
  return rows.map(({ fence, owner_name, input, webhook, ...task }) => ({
    ...task,
    ownerName: owner_name,
    attempt: fence,
    input: input ?? undefined,
    hasWebhook: webhook !== null,
  }));
}

/** Ends claims for good. Gives those that were still the latest ones of their tasks, with their webhooks. */
export async function finishTasks(db: Db, ends: readonly TaskEnd[]): Promise<Map<string, string | null>> {
  const rows = ends.map(({ id, attempt, state, result, predictionId, error }) => ({
    ...{ id, fence: attempt, state, result, prediction_id: predictionId },
    error: error === undefined ? undefined : JSON.stringify(error),
  }));
  const values = { result: 'bytea', prediction_id: 'uuid', error: 'text' } as const;
  const finished = await leasedTasks.end(db, rows, { values, set: ended, returning: ['webhook'] });
  return new Map(finished.map(({ id, webhook }) => [id, webhook]));
}

/** Why and when a claimed task is to be tried again. */
export interface TaskRetry {
  readonly id: string;
  readonly attempt: number;
  readonly error: TaskError | undefined;
  readonly delaySeconds: number;
}

/** Puts a claimed task back, unless the claim is not the latest any more. A release without an error counts for nothing. */
export async function requeueTask(db: Db, { id, attempt, error, delaySeconds }: TaskRetry): Promise<void> {
  const back = [{ id, fence: attempt, delayMs: delaySeconds * 1000 }];
  const set = error && { error: sql`${JSON.stringify(error)}`, failures: sql`leased.failures + 1` };
  await leasedTasks.giveBack(db, back, set && { set });
}

/** What has become of tasks whose workers died. */
export interface ReclaimedTasks {
  /** Ids of those that wait again. */
  readonly again: readonly string[];
  /** Ids and webhooks of those that have failed, since too many workers in a row died with them. */
  readonly abandoned: ReadonlyMap<string, string | null>;
}

/** Takes tasks away from workers whose leases have expired, or that are known to be gone; in a transaction. */
export async function reclaimTasks(
  db: Db,
  { maxDeaths, ...which }: { maxDeaths: number; limit: number; survivor: string | undefined },
): Promise<ReclaimedTasks> {
  const expired = await leasedTasks.lockExpired(db, which, ['deaths']);
  const isLast = ({ deaths }: { deaths: number }) => deaths + 1 >= maxDeaths;
  const again = expired.filter((task) => !isLast(task)).map(({ id, fence }) => ({ id, fence, delayMs: undefined }));
  await leasedTasks.giveBack(db, again, { set: { deaths: sql`leased.deaths + 1` } });
  const error = { code: 'TASK_ABANDONED' as const, message: `${maxDeaths} workers in a row died with the task` };
  const ends = expired.filter(isLast).map(({ id, fence }) => ({
    ...{ id, attempt: fence, state: 'failed' as const, result: undefined, predictionId: undefined, error },
  }));
  return { again: again.map(({ id }) => id), abandoned: await finishTasks(db, ends) };
}

/** Cancels a task that is not finished; undefined when it is. */
export async function cancelTask(db: Db, id: string): Promise<{ task: Task; webhook: string | null } | undefined> {
  const own = { set: ended, returning: [...publicColumns, 'webhook'] as const };
  const [row] = await leasedTasks.revoke(db, [{ id }], 'cancelled', own);
  return row === undefined ? undefined : { task: toTask(row), webhook: row.webhook };
}

/** Deletes tasks whose time is over, and gives their ids. */
export async function deleteExpired(db: Db, limit: number): Promise<string[]> {
  const expired = db
    .selectFrom('tasks')
    .select('id')
    .where('expires_at', '<', sql<Date>`now()`)
    .limit(limit)
    .forUpdate()
    .skipLocked();
  const rows = await db.deleteFrom('tasks').where('id', 'in', expired).returning('id').execute();
  return rows.map(({ id }) => id);
}
