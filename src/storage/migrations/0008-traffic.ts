import { type Kysely, type Migration, sql } from 'kysely';

/** Splits of the traffic that go before those of `model.json`, and every change of one. */
export const traffic: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('traffic')
      .addColumn('model', 'text', (column) => column.primaryKey())
      .addColumn('document', 'jsonb', (column) => column.notNull())
      .addColumn('etag', 'text', (column) => column.notNull())
      .addColumn('changed_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('changed_by', 'jsonb')
      .execute();
    await db.schema
      .createTable('traffic_events')
      .addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('who', 'jsonb')
      .addColumn('from', 'jsonb')
      .addColumn('to', 'jsonb')
      .addColumn('why', 'text')
      .execute();
    await db.schema.createIndex('traffic_events_by_model').on('traffic_events').columns(['model', 'id']).execute();
  },
};
