import { AppError } from '../errors.ts';
import type { Task } from './task.ts';

/** Who asks for tasks. */
export interface Viewer {
  /** Id of the API key; empty without one. */
  readonly owner: string;
  /** Whether the tasks of others are to be seen as well. */
  readonly seesAll: boolean;
  /** Models whose tasks are to be seen; undefined: all. */
  readonly models: readonly string[] | undefined;
}

/** @throws AppError `TASK_NOT_FOUND`, also for a task that is not the viewer's */
export function visible(task: Task | undefined, id: string, { owner, seesAll, models }: Viewer): Task {
  const isSeen = task !== undefined && (seesAll || task.owner === owner) && (models?.includes(task.model) ?? true);
  if (isSeen) return task;
  throw new AppError('TASK_NOT_FOUND', { message: `There is no task ${id}`, received: id });
}

/** Why there is no result of a task. */
export function withoutResult({ id, state, error }: Task): AppError {
  const why = error === undefined || state !== 'failed' ? '' : ` (${error.code}: ${error.message})`;
  const message = `The task ${id} is ${state}${why}`;
  const mayCome = state === 'queued' || state === 'running';
  return new AppError('TASK_WITHOUT_RESULT', { message, received: state, ...(mayCome && { retryAfterSeconds: 1 }) });
}
