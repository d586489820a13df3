import type { Kysely, Migration } from 'kysely';

/** What a request said beside its instances, such as how many classes it wanted, so that it can be asked again. */
export const predictionOptions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('predictions').addColumn('options', 'json').execute();
  },
};
