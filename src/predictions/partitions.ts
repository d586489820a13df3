import { sql } from 'kysely';
import { schemaName } from '../storage/database.ts';
import type { OpenStorage } from '../storage/storage.ts';
import { gapAround, partitionName, type TimeRange } from './time-range.ts';

/** The table with the predictions of a stretch of time: of a day of UTC, or of a part of one. */
export interface Partition extends TimeRange {
  readonly name: string;
  /** On disk, with its indexes. */
  readonly bytes: number;
}

/** Any number that only this program uses: a process that changes partitions holds the lock of it. */
const lockNumber = 5_311_026_021;
/** Making or dropping a partition shuts out every other process for a moment; it gives up rather than keep them waiting. */
const lockTimeoutMs = 5000;
/** Less than what the buffer takes in at the usual rate. */
const statementTimeoutMs = 20_000;

type Database = OpenStorage['db'];

/** Every partition there is, the oldest first. */
export async function listPartitions(db: Database): Promise<readonly Partition[]> {
  const { rows } = await sql<{ name: string; from: string; until: string; bytes: string | null }>`
    select name, (extract(epoch from range[1]::timestamptz) * 1000)::bigint::text as from,
      (extract(epoch from range[2]::timestamptz) * 1000)::bigint::text as until, bytes::text
    from (
      select child.relname as name, pg_total_relation_size(child.oid) as bytes,
        regexp_match(pg_get_expr(child.relpartbound, child.oid), 'FROM \\(''(.+)''\\) TO \\(''(.+)''\\)') as range
      from pg_inherits
        join pg_class child on child.oid = pg_inherits.inhrelid
        join pg_class parent on parent.oid = pg_inherits.inhparent
        join pg_namespace on pg_namespace.oid = parent.relnamespace
      where parent.relname = 'predictions' and pg_namespace.nspname = ${schemaName}
    ) as partitions
    where range is not null
  `.execute(db);
  return rows
    .map(({ name, from, until, bytes }) => ({
      name,
      fromMs: Number(from),
      untilMs: Number(until),
      bytes: Number(bytes ?? 0),
    }))
    .sort((a, b) => a.fromMs - b.fromMs);
}

/** The time by the clock of the database, in milliseconds since 1970. */
export async function databaseTime(db: Database): Promise<number> {
  const { rows } = await sql<{ time: Date }>`select clock_timestamp() as time`.execute(db);
  return rows[0]?.time.getTime() ?? Number.NaN;
}

/** Makes partitions that take these moments, in milliseconds since 1970, where there are none. */
export async function createPartitions(db: Database, timesMs: readonly number[]): Promise<void> {
  await changePartitions(db, async (transaction) => {
    const ranges: TimeRange[] = [...(await listPartitions(transaction))];
    for (const timeMs of timesMs) {
      const gap = gapAround(timeMs, ranges);
      if (gap === undefined) continue;
      await createPartition(transaction, gap);
      ranges.push(gap);
    }
  });
}

/**
 * Ends a partition behind its last prediction, so that another one takes those that follow. The database reads all of its
 * rows for that, and every other process waits.
 *
 * @returns false if there is nothing to cut, or another process has been before us
 */
export async function cutPartition(db: Database, { name, fromMs, untilMs }: Partition): Promise<boolean> {
  const parent = sql.id(schemaName, 'predictions');
  const child = sql.id(schemaName, name);
  return changePartitions(db, async (transaction) => {
    // A writer locks the table before its partition: the other way round, each would wait for the other.
    await sql`lock table only ${parent} in access exclusive mode`.execute(transaction);
    const present = (await listPartitions(transaction)).find((partition) => partition.name === name);
    if (present?.fromMs !== fromMs || present.untilMs !== untilMs) return false;
    const { rows } = await sql<{ last: Date | null }>`select max(at) as last from ${child}`.execute(transaction);
    const last = rows[0]?.last ?? null;
    if (last === null || last.getTime() + 1 >= untilMs) return false;
    const cutMs = last.getTime() + 1;
    await sql`alter table ${parent} detach partition ${child}`.execute(transaction);
    await sql`alter table ${parent} attach partition ${child} ${valuesOf({ fromMs, untilMs: cutMs })}`.execute(
      transaction,
    );
    await createPartition(transaction, { fromMs: cutMs, untilMs });
    return true;
  });
}

/** Drops partitions; another process may have been before us. */
export async function dropPartitions(db: Database, partitions: readonly Pick<Partition, 'name'>[]): Promise<void> {
  await changePartitions(db, async (transaction) => {
    for (const { name } of partitions) {
      await sql`drop table if exists ${sql.id(schemaName, name)}`.execute(transaction);
    }
  });
}

async function createPartition(transaction: Database, range: TimeRange): Promise<void> {
  const child = sql.id(schemaName, partitionName(range.fromMs));
  const parent = sql.id(schemaName, 'predictions');
  await sql`create table ${child} partition of ${parent} ${valuesOf(range)}`.execute(transaction);
}

function valuesOf({ fromMs, untilMs }: TimeRange) {
  const [from, until] = [fromMs, untilMs].map((timeMs) => sql.lit(new Date(timeMs).toISOString()));
  return sql`for values from (${from}) to (${until})`;
}

async function changePartitions<Result>(
  db: Database,
  change: (transaction: Database) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute(async (transaction) => {
    await sql`
      select set_config('lock_timeout', ${`${lockTimeoutMs}ms`}, true),
        set_config('statement_timeout', ${`${statementTimeoutMs}ms`}, true)
    `.execute(transaction);
    await sql`select pg_advisory_xact_lock(${lockNumber}::bigint)`.execute(transaction);
    return change(transaction);
  });
}
