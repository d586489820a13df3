import type { PredictionsTable } from './tables/predictions.ts';
import type { TasksTable } from './tables/tasks.ts';
import type { TrafficEventsTable, TrafficTable } from './tables/traffic.ts';
import type { WebhooksTable } from './tables/webhooks.ts';

/**
 * Every table, by its name. The rows of a slice are described in `tables/`, made by `migrations/`, and read and written
 * by the statements of that slice alone.
 */
export interface Database {
  readonly predictions: PredictionsTable;
  readonly tasks: TasksTable;
  readonly traffic: TrafficTable;
  readonly traffic_events: TrafficEventsTable;
  readonly webhooks: WebhooksTable;
}

/** The schema that all tables live in, so that they can share a database with other programs. */
export const schemaName = 'inferd';
