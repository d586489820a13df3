import type { Kysely, Migration } from 'kysely';

/** Who a task's predictions are for, and by which id the prediction log has them. */
export const taskPredictions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('tasks')
      .addColumn('owner_name', 'text', (column) => column.notNull().defaultTo(''))
      .addColumn('prediction_id', 'uuid')
      .execute();
  },
};
