import { type Selectable, sql } from 'kysely';
import { LeasedRows } from '../../storage/leased-rows/leased-rows.ts';
import type { TasksTable } from '../../storage/tables/tasks.ts';
import type { Task, TaskError } from '../task.ts';

/** The tasks that wait and run, as leased rows; `fence` is the attempt of a task. */
export const leasedTasks = new LeasedRows<TasksTable, 'id'>({
  name: 'tasks',
  key: { id: 'uuid' },
  states: { waiting: 'queued', leased: 'running' },
});

/** What is read of a task: everything but its input and its result. */
export const publicColumns = [
  'id',
  'work',
  'model',
  'owner',
  'state',
  'priority',
  'instances',
  'fence',
  'retries',
  'prediction_id',
  'error',
  'created_at',
  'due_at',
  'started_at',
  'finished_at',
  'expires_at',
] as const;

export type PublicRow = Selectable<Pick<TasksTable, (typeof publicColumns)[number]>>;

export function toTask(row: PublicRow): Task {
  return {
    id: row.id,
    work: row.work,
    model: row.model,
    owner: row.owner,
    state: row.state,
    priority: row.priority,
    instances: row.instances,
    attempt: row.fence,
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

export function anyOf(ids: readonly string[]) {
  return sql<string>`any(${ids}::uuid[])`;
}
