import type { Kysely, Migration } from 'kysely';

/** How large the inputs of tasks are, wherever they are kept, for bounds on what waits. */
export const taskInputBytes: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('tasks')
      .addColumn('input_bytes', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
