import type { Kysely, Migration } from 'kysely';

/** What became of the steps of a model that is made of others. */
export const predictionSteps: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('predictions').addColumn('steps', 'jsonb').execute();
  },
};
