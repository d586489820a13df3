import { AppError } from '../errors.ts';
import type { Settings } from '../settings.ts';

/**
 * Checks that a worker has tasks to do: those that servers keep in the same Postgres.
 *
 * @throws AppError `SETTINGS_INVALID` when there is nothing that it could work on
 */
export function requireWork({ storage, databaseUrl, tasks }: Settings): void {
  if (!storage || databaseUrl === undefined) {
    throw invalid('DATABASE_URL: a worker needs the Postgres of the servers whose tasks it does, received none');
  }
  if (tasks.concurrency === 0) throw invalid('TASK_CONCURRENCY: a worker needs at least 1, received 0');
}

function invalid(message: string): AppError {
  return new AppError('SETTINGS_INVALID', { message });
}
