import { type Kysely, type Migration, sql } from 'kysely';
import { schemaName } from '../database.ts';

/** The prediction log, in one partition a day; the partitions are made and dropped while the program runs. */
export const predictions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const schema = db.schema.withSchema(schemaName);
    await schema
      .createTable('predictions')
      .addColumn('at', 'timestamptz', (column) => column.notNull())
      .addColumn('id', 'uuid', (column) => column.notNull())
      .addColumn('instance', 'integer', (column) => column.notNull())
      .addColumn('request_id', 'text', (column) => column.notNull())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('version', 'text')
      .addColumn('domain', 'text')
      .addColumn('key_id', 'text')
      .addColumn('key_name', 'text')
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('total_ms', 'real')
      .addColumn('encode_ms', 'real')
      .addColumn('queue_ms', 'real')
      .addColumn('batch_ms', 'real')
      .addColumn('infer_ms', 'real')
      .addColumn('batch_rows', 'integer')
      // Not jsonb: they are only ever read whole, and this is cheaper to write.
      .addColumn('inputs', 'json')
      .addColumn('outputs', 'json')
      .addColumn('feedback', 'jsonb')
      .addPrimaryKeyConstraint('predictions_pkey', ['at', 'id', 'instance'])
      .modifyEnd(sql`partition by range (at)`)
      .execute();
    await schema
      .createIndex('predictions_by_model')
      .on('predictions')
      .columns(['model', 'at', 'id', 'instance'])
      .execute();
    await sql`
      create index predictions_judged on ${sql.id(schemaName, 'predictions')} (model, at) where feedback is not null
    `.execute(db);
  },
};
