import { AppError } from '../errors.ts';
import { readSettings } from '../settings.ts';
import { readEnvironment } from './environment.ts';
import { type ServeOptions, serve } from './serve.ts';

/**
 * Works on background tasks that servers have taken into the same Postgres, until a signal ends the process. It answers
 * for its health and its metrics only.
 *
 * @throws AppError `SETTINGS_INVALID` when there is nothing that it could work on
 */
export async function work(options: ServeOptions = {}): Promise<void> {
  const { storage, databaseUrl, tasks } = readSettings({ ...readEnvironment(), ...options.settings });
  if (!storage || databaseUrl === undefined) {
    throw invalid('DATABASE_URL: a worker needs the Postgres of the servers whose tasks it does, received none');
  }
  if (tasks.concurrency === 0) throw invalid('TASK_CONCURRENCY: a worker needs at least 1, received 0');
  await serve(options, 'worker');
}

function invalid(message: string): AppError {
  return new AppError('SETTINGS_INVALID', { message });
}
