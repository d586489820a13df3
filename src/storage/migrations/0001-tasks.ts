import { type Kysely, type Migration, sql } from 'kysely';

/** Background tasks. */
export const tasks: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('tasks')
      .addColumn('id', 'uuid', (column) => column.primaryKey())
      .addColumn('work', 'text', (column) => column.notNull())
      .addColumn('model', 'text', (column) => column.notNull())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull().defaultTo('queued'))
      .addColumn('priority', 'integer', (column) => column.notNull())
      .addColumn('instances', 'integer', (column) => column.notNull())
      .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('deaths', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('retries', 'integer', (column) => column.notNull())
      .addColumn('worker', 'text')
      .addColumn('lease_until', 'timestamptz')
      .addColumn('idempotency_key', 'text')
      .addColumn('fingerprint', 'bytea', (column) => column.notNull())
      .addColumn('input', 'bytea')
      .addColumn('result', 'bytea')
      .addColumn('error', 'text')
      .addColumn('webhook', 'text')
      .addColumn('ttl_seconds', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('due_at', 'timestamptz', (column) => column.notNull())
      .addColumn('started_at', 'timestamptz')
      .addColumn('finished_at', 'timestamptz')
      .addColumn('expires_at', 'timestamptz')
      .addCheckConstraint('tasks_state', sql`state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')`)
      .execute();
    // Pages of a key's own tasks; those of all keys follow the primary key.
    await db.schema.createIndex('tasks_owner').on('tasks').columns(['owner', 'id']).execute();
    // To count what is not finished, among many that are.
    await db.schema
      .createIndex('tasks_unfinished')
      .on('tasks')
      .column('state')
      .where(sql.ref('state'), 'in', sql`('queued', 'running')`)
      .execute();
    await db.schema
      .createIndex('tasks_idempotency')
      .unique()
      .on('tasks')
      .columns(['owner', 'idempotency_key'])
      .where(sql.ref('idempotency_key'), 'is not', null)
      .execute();
    await db.schema
      .createIndex('tasks_lease')
      .on('tasks')
      .column('lease_until')
      .where(sql.ref('lease_until'), 'is not', null)
      .execute();
    await db.schema
      .createIndex('tasks_expiry')
      .on('tasks')
      .column('expires_at')
      .where(sql.ref('expires_at'), 'is not', null)
      .execute();
  },
};
