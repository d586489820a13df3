import { type Kysely, type Migration, sql } from 'kysely';
import { schemaName } from '../database.ts';

/** What other versions have made of the inputs of predictions: each names the one that it is a shadow of. */
export const predictionShadows: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('predictions')
      .addColumn('role', 'text')
      .addColumn('of_id', 'uuid')
      .addColumn('of_instance', 'integer')
      .execute();
    await sql`
      create index predictions_shadows on ${sql.id(schemaName, 'predictions')} (model, at) where role is not null
    `.execute(db);
  },
};
