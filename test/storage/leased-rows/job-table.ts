import { sql } from 'kysely';
import { LeasedRows } from '../../../src/storage/leased-rows/leased-rows.ts';
import type { Claim, LeaseColumns } from '../../../src/storage/leased-rows/leased-table.ts';
import type { Storage } from '../../../src/storage/storage.ts';

/** A table of leased rows with a key of two columns, and columns of its owner. */
interface JobsTable extends LeaseColumns<'queued' | 'running' | 'done' | 'cancelled'> {
  run: string;
  step: number;
  pool: string;
  tries: number;
  note: string | null;
}

export type JobClaim = Claim<JobsTable, 'run' | 'step'>;

export interface NewJob {
  readonly run: string;
  readonly step: number;
  readonly priority?: number;
  /** When it is due, from now on. */
  readonly dueInMs?: number;
  readonly pool?: string;
}

/** Makes the table, whose time is that of the clock. */
export async function createJobs(storage: Storage, clock: { now(): number }) {
  const { db } = storage.open;
  await sql`CREATE TABLE inferd.jobs (
    run text, step integer, state text NOT NULL DEFAULT 'queued', priority integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL, worker text, lease_until timestamptz, fence integer NOT NULL DEFAULT 0,
    pool text NOT NULL DEFAULT '', tries integer NOT NULL DEFAULT 0, note text, PRIMARY KEY (run, step))`.execute(db);
  const at = (ms: number) => sql<Date>`${new Date(ms)}::timestamptz`;
  const jobs = new LeasedRows<JobsTable, 'run' | 'step'>({
    name: 'jobs',
    key: { run: 'text', step: 'integer' },
    states: { waiting: 'queued', leased: 'running' },
    group: 'pool',
    now: () => at(clock.now()),
  });
  return {
    db,
    jobs,
    async add(...added: readonly NewJob[]) {
      for (const { run, step, priority = 0, dueInMs = 0, pool = '' } of added) {
        await sql`INSERT INTO inferd.jobs (run, step, priority, due_at, pool)
          VALUES (${run}, ${step}, ${priority}, ${at(clock.now() + dueInMs)}, ${pool})`.execute(db);
      }
    },
    async find(run: string, step: number) {
      const { rows } = await sql<{
        state: string;
        worker: string | null;
        fence: number;
        tries: number;
        note: string | null;
      }>`
        SELECT state, worker, fence, tries, note FROM inferd.jobs WHERE run = ${run} AND step = ${step}`.execute(db);
      return rows[0];
    },
    async count(): Promise<Record<string, number>> {
      const { rows } = await sql<{ state: string; rows: number }>`
        SELECT state, count(*)::int AS rows FROM inferd.jobs GROUP BY state`.execute(db);
      return Object.fromEntries(rows.map(({ state, rows }) => [state, rows]));
    },
    clear: () => sql`TRUNCATE inferd.jobs`.execute(db),
  };
}
