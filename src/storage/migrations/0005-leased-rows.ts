import { type Kysely, type Migration, sql } from 'kysely';
import { schemaName } from '../database.ts';

/** Where pg-boss kept what waits, before this migration. */
const formerQueue = 'inferd_queue';

/**
 * Tasks and webhooks wait in tables of the program itself. What waits in the queue that pg-boss kept is taken over, and that
 * is dropped: a process of an earlier version that is still running then fails to put something there, where no process
 * would look.
 */
export const leasedRows: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('tasks').renameColumn('attempt', 'fence').execute();
    await db.schema
      .alterTable('tasks')
      .alterColumn('priority', (column) => column.setDefault(0))
      .execute();
    await db.schema
      .alterTable('tasks')
      .alterColumn('due_at', (column) => column.setDefault(sql`now()`))
      .execute();
    // In the order of claims.
    await db.schema
      .createIndex('tasks_waiting')
      .on('tasks')
      .expression(sql`priority DESC, due_at, id`)
      .where(sql.ref('state'), '=', sql.lit('queued'))
      .execute();
    // When the next one is due.
    await db.schema
      .createIndex('tasks_due')
      .on('tasks')
      .column('due_at')
      .where(sql.ref('state'), '=', sql.lit('queued'))
      .execute();
    await db.schema
      .createTable('webhooks')
      .addColumn('id', 'uuid', (column) => column.primaryKey().references('tasks.id').onDelete('cascade'))
      .addColumn('state', 'text', (column) => column.notNull().defaultTo('waiting'))
      .addColumn('priority', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('due_at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn('worker', 'text')
      .addColumn('lease_until', 'timestamptz')
      .addColumn('fence', 'integer', (column) => column.notNull().defaultTo(0))
      .addCheckConstraint('webhooks_state', sql`state IN ('waiting', 'calling')`)
      .execute();
    await db.schema
      .createIndex('webhooks_waiting')
      .on('webhooks')
      .expression(sql`priority DESC, due_at, id`)
      .where(sql.ref('state'), '=', sql.lit('waiting'))
      .execute();
    await takeOver(db);
  },
};

/** Tasks that wait have all of it in their own rows already; webhooks have it in the queue alone. */
async function takeOver(db: Kysely<unknown>): Promise<void> {
  const jobs = sql.id(formerQueue, 'job');
  const { rows } = await sql<{ exists: boolean }>`
    SELECT to_regclass(${`${formerQueue}.job`}) IS NOT NULL AS exists`.execute(db);
  if (rows[0]?.exists !== true) return;
  await sql`LOCK TABLE ${jobs} IN ACCESS EXCLUSIVE MODE`.execute(db);
  const webhooks = sql.id(schemaName, 'webhooks');
  const tasks = sql.id(schemaName, 'tasks');
  await sql`
    INSERT INTO ${webhooks} (id, priority, due_at)
    SELECT task.id, job.priority, job.start_after FROM ${jobs} AS job JOIN ${tasks} AS task ON task.id = job.id
    WHERE job.name = 'webhooks' AND job.state::text IN ('created', 'retry', 'active') AND task.webhook IS NOT NULL
    ON CONFLICT DO NOTHING`.execute(db);
  await sql`DROP SCHEMA ${sql.id(formerQueue)} CASCADE`.execute(db);
}
