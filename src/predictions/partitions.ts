import { sql } from 'kysely';
import { schemaName } from '../storage/database.ts';
import type { OpenStorage } from '../storage/storage.ts';
import { type Day, dayOfPartition, partitionName, startOf } from './day.ts';

/** The predictions of a day. */
export interface Partition {
  readonly day: Day;
  /** On disk, with its indexes. */
  readonly bytes: number;
}

/** Any number that only this program uses: whoever changes partitions holds the lock of it. */
const lockNumber = 5_311_026_021;
/** Making or dropping a partition shuts out everybody else for a moment; it gives up rather than keep them waiting. */
const lockTimeoutMs = 5000;

type Database = OpenStorage['db'];

/** Every partition there is, the oldest first. */
export async function listPartitions(db: Database): Promise<readonly Partition[]> {
  const { rows } = await sql<{ name: string; bytes: string }>`
    select child.relname as name, pg_total_relation_size(child.oid)::text as bytes
    from pg_inherits
      join pg_class child on child.oid = pg_inherits.inhrelid
      join pg_class parent on parent.oid = pg_inherits.inhparent
      join pg_namespace on pg_namespace.oid = parent.relnamespace
    where parent.relname = 'predictions' and pg_namespace.nspname = ${schemaName}
  `.execute(db);
  return rows
    .flatMap(({ name, bytes }) => {
      const day = dayOfPartition(name);
      return day === undefined ? [] : [{ day, bytes: Number(bytes) }];
    })
    .sort((a, b) => a.day - b.day);
}

/** Makes the partitions of these days, where there are none. */
export async function createPartitions(db: Database, days: readonly Day[]): Promise<void> {
  await changePartitions(db, async (transaction) => {
    for (const day of days) {
      await sql`
        create table if not exists ${sql.id(schemaName, partitionName(day))}
        partition of ${sql.id(schemaName, 'predictions')}
        for values from (${sql.lit(startOf(day).toISOString())}) to (${sql.lit(startOf(day + 1).toISOString())})
      `.execute(transaction);
    }
  });
}

/** Drops the partitions of these days, where there are some; another process may have been before us. */
export async function dropPartitions(db: Database, days: readonly Day[]): Promise<void> {
  await changePartitions(db, async (transaction) => {
    for (const day of days) {
      await sql`drop table if exists ${sql.id(schemaName, partitionName(day))}`.execute(transaction);
    }
  });
}

async function changePartitions(db: Database, change: (transaction: Database) => Promise<void>): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`select set_config('lock_timeout', ${`${lockTimeoutMs}ms`}, true)`.execute(transaction);
    await sql`select pg_advisory_xact_lock(${lockNumber}::bigint)`.execute(transaction);
    await change(transaction);
  });
}
