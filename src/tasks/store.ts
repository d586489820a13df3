import { type Kysely, type Selectable, sql } from 'kysely';
import type { Database } from '../storage/database.ts';
import type { TasksTable } from '../storage/tables/tasks.ts';
import type { ClaimedTask, NewTask, Task, TaskEnd, TaskError, TaskState } from './task.ts';

type Db = Kysely<Database>;

const publicColumns = [
  'id',
  'work',
  'model',
  'owner',
  'state',
  'priority',
  'instances',
  'attempt',
  'retries',
  'prediction_id',
  'error',
  'created_at',
  'due_at',
  'started_at',
  'finished_at',
  'expires_at',
] as const;

type PublicRow = Selectable<Pick<TasksTable, (typeof publicColumns)[number]>>;

/** Which tasks a list has. */
export interface TaskFilter {
  /** Undefined: of everybody. */
  readonly owner: string | undefined;
  /** Undefined: of every model. */
  readonly models: readonly string[] | undefined;
  readonly state: TaskState | undefined;
  readonly model: string | undefined;
  /** Only those that are older than the one with this id. */
  readonly before: string | undefined;
  readonly limit: number;
}

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

export async function findTask(db: Db, id: string): Promise<Task | undefined> {
  const [task] = await findTasks(db, [id]);
  return task;
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

/** Makes queued tasks those of a worker, for as long as its lease lasts. */
export async function claimTasks(
  db: Db,
  ids: readonly string[],
  { worker, leaseMs }: { worker: string; leaseMs: number },
): Promise<ClaimedTask[]> {
  const rows = await db
    .updateTable('tasks')
    .set((column) => ({
      state: 'running',
      attempt: column('attempt', '+', 1),
      worker,
      lease_until: fromNow(leaseMs),
      started_at: column.fn.coalesce('started_at', sql<Date>`now()`),
    }))
    .where('id', '=', anyOf(ids))
    .where('state', '=', 'queued')
    .returning(['id', 'work', 'model', 'owner', 'owner_name as ownerName', 'attempt', 'failures', 'retries', 'input'])
    .execute();
  return rows.map(({ input, ...task }) => ({ ...task, input: input ?? undefined }));
}

/** Keeps claims going, and gives the ids of those that the worker still has. */
export async function renewLeases(
  db: Db,
  ids: readonly string[],
  { worker, leaseMs }: { worker: string; leaseMs: number },
): Promise<ReadonlySet<string>> {
  const rows = await db
    .updateTable('tasks')
    .set({ lease_until: fromNow(leaseMs) })
    .where('id', '=', anyOf(ids))
    .where('worker', '=', worker)
    .where('state', '=', 'running')
    .returning('id')
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/**
 * Ends claims for good, each if it is still the latest one of its task. Gives those that were, with their webhooks: what
 * comes from a worker that has lost its lease changes nothing.
 */
export async function finishTasks(db: Db, ends: readonly TaskEnd[]): Promise<Map<string, string | null>> {
  const columns = [
    ends.map(({ id }) => id),
    ends.map(({ attempt }) => attempt),
    ends.map(({ state }) => state),
    ends.map(({ result }) => result ?? null),
    ends.map(({ predictionId }) => predictionId ?? null),
    ends.map(({ error }) => (error === undefined ? null : JSON.stringify(error))),
  ];
  const [ids, attempts, states, results, predictions, errors] = columns;
  const { rows } = await sql<{ id: string; webhook: string | null }>`
    UPDATE ${sql.table('inferd.tasks')} AS task
    SET state = ended.state, result = ended.result, prediction_id = ended.prediction_id, error = ended.error, worker = NULL, lease_until = NULL,
      input = NULL, finished_at = now(), expires_at = now() + make_interval(secs => task.ttl_seconds)
    FROM unnest(${ids}::uuid[], ${attempts}::int[], ${states}::text[], ${results}::bytea[], ${predictions}::uuid[],
      ${errors}::text[]) AS ended (id, attempt, state, result, prediction_id, error)
    WHERE task.id = ended.id AND task.attempt = ended.attempt AND task.state = 'running'
    RETURNING task.id, task.webhook`.execute(db);
  return new Map(rows.map(({ id, webhook }) => [id, webhook]));
}

/** Why and when a claimed task is to be tried again. */
export interface TaskRetry {
  readonly id: string;
  readonly attempt: number;
  readonly error: TaskError | undefined;
  readonly delaySeconds: number;
}

/** Puts a claimed task back; false when the claim was not the latest any more. A release without an error counts for nothing. */
export async function requeueTask(db: Db, { id, attempt, error, delaySeconds }: TaskRetry) {
  return db
    .updateTable('tasks')
    .set((column) => ({
      state: 'queued',
      worker: null,
      lease_until: null,
      due_at: fromNow(delaySeconds * 1000),
      ...(error !== undefined && { error: JSON.stringify(error), failures: column('failures', '+', 1) }),
    }))
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('state', '=', 'running')
    .returning('priority')
    .executeTakeFirst();
}

/** Takes tasks away from workers that were not heard of for longer than their lease, or that are known to be gone. */
export async function takeFromDeadWorkers(
  db: Db,
  { maxDeaths, limit, survivor }: { maxDeaths: number; limit: number; survivor: string | undefined },
) {
  const isAbandoned = survivor === undefined ? sql<boolean>`lease_until < now()` : sql<boolean>`worker <> ${survivor}`;
  const abandoned = await db
    .selectFrom('tasks')
    .select(['id', 'attempt', 'deaths', 'priority'])
    .where('state', '=', 'running')
    .where('lease_until', 'is not', null)
    .where(isAbandoned)
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  const again = abandoned.filter(({ deaths }) => deaths + 1 < maxDeaths);
  const given = abandoned.filter(({ deaths }) => deaths + 1 >= maxDeaths);
  if (again.length > 0) {
    await db
      .updateTable('tasks')
      .set((column) => ({ state: 'queued', worker: null, lease_until: null, deaths: column('deaths', '+', 1) }))
      .where('id', '=', anyOf(again.map(({ id }) => id)))
      .execute();
  }
  return { again, given };
}

/** Cancels a task that is not finished; undefined when it is. */
export async function cancelTask(db: Db, id: string): Promise<{ task: Task; webhook: string | null } | undefined> {
  const row = await db
    .updateTable('tasks')
    .set({
      state: 'cancelled',
      worker: null,
      lease_until: null,
      input: null,
      finished_at: sql<Date>`now()`,
      expires_at: sql<Date>`now() + make_interval(secs => ttl_seconds)`,
    })
    .where('id', '=', id)
    .where('state', 'in', ['queued', 'running'])
    .returning([...publicColumns, 'webhook'])
    .executeTakeFirst();
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

function anyOf(ids: readonly string[]) {
  return sql<string>`any(${ids}::uuid[])`;
}

function fromNow(delayMs: number) {
  return sql<Date>`now() + make_interval(secs => ${delayMs / 1000})`;
}

function toTask(row: PublicRow): Task {
  return {
    id: row.id,
    work: row.work,
    model: row.model,
    owner: row.owner,
    state: row.state,
    priority: row.priority,
    instances: row.instances,
    attempt: row.attempt,
    retries: row.retries,
    predictionId: row.prediction_id ?? undefined,
    error: row.error === null ? undefined : (JSON.parse(row.error) as TaskError),
    createdAt: row.created_at,
    dueAt: row.due_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
  };
}
