import { type Kysely, sql } from 'kysely';
import type { Database } from '../../storage/database.ts';
import type { Task, TaskState } from '../task.ts';
import { anyOf, publicColumns, toTask } from './task-rows.ts';

type Db = Kysely<Database>;

/** Which tasks a list has. */
export interface TaskFilter {
  /** Undefined: of every key. */
  readonly owner: string | undefined;
  /** Undefined: of every model. */
  readonly models: readonly string[] | undefined;
  readonly state: TaskState | undefined;
  readonly model: string | undefined;
  /** Only those that are older than the one with this id. */
  readonly before: string | undefined;
  readonly limit: number;
}

/** The task that an owner has given an idempotency key, with the fingerprint of what was asked for. */
export async function findByIdempotencyKey(db: Db, owner: string, key: string) {
  const row = await db
    .selectFrom('tasks')
    .select([...publicColumns, 'fingerprint'])
    .where('owner', '=', owner)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
  return row === undefined ? undefined : { task: toTask(row), fingerprint: row.fingerprint };
}

export async function findTasks(db: Db, ids: readonly string[]): Promise<Task[]> {
  const rows = await db
    .selectFrom('tasks')
    .select([...publicColumns])
    .where('id', '=', anyOf(ids))
    .execute();
  return rows.map(toTask);
}

/** Tasks with the addresses that want to be told of their ends. */
export async function findWebhooks(db: Db, ids: readonly string[]): Promise<{ task: Task; url: string }[]> {
  const rows = await db
    .selectFrom('tasks')
    .select([...publicColumns, 'webhook'])
    .where('id', '=', anyOf(ids))
    .execute();
  return rows.flatMap((row) => (row.webhook === null ? [] : [{ task: toTask(row), url: row.webhook }]));
}

/** A task with the JSON of its result; undefined where it has none, or has it in a file. */
export async function findResult(db: Db, id: string) {
  const row = await db
    .selectFrom('tasks')
    .select([...publicColumns, 'result'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : { task: toTask(row), result: row.result ?? undefined };
}

/** The newest first. */
export async function listTasks(db: Db, { owner, models, state, model, before, limit }: TaskFilter): Promise<Task[]> {
  let query = db.selectFrom('tasks').select([...publicColumns]);
  if (owner !== undefined) query = query.where('owner', '=', owner);
  if (models !== undefined) query = query.where('model', '=', sql<string>`any(${models}::text[])`);
  if (state !== undefined) query = query.where('state', '=', state);
  if (model !== undefined) query = query.where('model', '=', model);
  if (before !== undefined) query = query.where('id', '<', before);
  return (await query.orderBy('id', 'desc').limit(limit).execute()).map(toTask);
}

/** How many tasks are in each state. */
export async function countTasks(db: Db): Promise<Map<TaskState, number>> {
  const rows = await db
    .selectFrom('tasks')
    .select((column) => ['state', column.fn.countAll<string>().as('count')])
    .where('state', 'in', ['queued', 'running'])
    .groupBy('state')
    .execute();
  return new Map(rows.map(({ state, count }) => [state, Number(count)]));
}

/** What is not finished of each owner: how many tasks, and the bytes of their inputs. */
export async function countWaiting(db: Db): Promise<Map<string, { tasks: number; bytes: number }>> {
  const rows = await db
    .selectFrom('tasks')
    .select((column) => [
      'owner',
      column.fn.countAll<string>().as('tasks'),
      column.fn.sum<string>('input_bytes').as('bytes'),
    ])
    .where('state', 'in', ['queued', 'running'])
    .groupBy('owner')
    .execute();
  return new Map(rows.map(({ owner, tasks, bytes }) => [owner, { tasks: Number(tasks), bytes: Number(bytes) }]));
}
