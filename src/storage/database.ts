import type { PredictionsTable } from './tables/predictions.ts';
import type { TasksTable } from './tables/tasks.ts';

/**
 * Every table, by its name. The rows of a slice are described in `tables/`, made by `migrations/`, and read and written
 * by the `store.ts` of that slice alone.
 */
export interface Database {
  readonly predictions: PredictionsTable;
  readonly tasks: TasksTable;
}

/** The schema that all tables live in, so that they can share a database with other programs. */
export const schemaName = 'inferd';
