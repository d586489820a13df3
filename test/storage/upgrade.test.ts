import { readFile } from 'node:fs/promises';
import { CompiledQuery, type Kysely, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/storage/migrate.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { TaskRepository } from '../../src/tasks/repository/task-repository.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { databaseKinds } from '../helpers/database.ts';
import { sharedStorage } from '../helpers/shared-storage.ts';

const dump = new URL('../fixtures/databases/with-pg-boss.sql', import.meta.url);
const worker = { worker: 'new', leaseMs: 60_000 };

/** The ids in the dump, by what they stand for; all tasks but the ones that wait and run have succeeded. */
const ids = {
  webhookUntold: '00000000-0000-7000-8000-000000000001',
  webhookRetried: '00000000-0000-7000-8000-000000000002',
  webhookTaken: '00000000-0000-7000-8000-000000000003',
  webhookTold: '00000000-0000-7000-8000-000000000004',
  running: '00000000-0000-7000-8000-000000000005',
  retried: '00000000-0000-7000-8000-000000000006',
  waiting: '00000000-0000-7000-8000-000000000007',
  delayed: '00000000-0000-7000-8000-000000000008',
};

/** Makes the database that of the dump, and lets the migrations find it. */
async function upgrade(storage: Storage): Promise<Storage> {
  const { db } = storage.open;
  await sql`DROP SCHEMA inferd CASCADE`.execute(db);
  const statements = await readFile(dump, 'utf8');
  await storage.use(async ({ pool }) => {
    const client = await pool.connect();
    await client.query(statements);
    await client.query('RESET ALL');
    client.release();
  });
  await migrate(db);
  return storage;
}

async function rowsOf<Row>(db: Kysely<never>, text: string): Promise<Row[]> {
  return (await db.executeQuery<Row>(CompiledQuery.raw(text))).rows;
}

describe.each(databaseKinds)('a database on %s that was kept with pg-boss', (kind) => {
  const newStorage = sharedStorage(kind);

  it('has everything that waited, in order and in time, and nothing of pg-boss', async () => {
    const storage = await upgrade(newStorage());
    const db = storage.open.db as unknown as Kysely<never>;
    const waiting = 'SELECT id, priority, due_at, fence FROM inferd.tasks WHERE state = $$queued$$ ORDER BY id';
    expect(await rowsOf(db, waiting)).toEqual([
      { id: ids.retried, priority: 0, due_at: new Date('2026-11-29T05:33:55.260Z'), fence: 1 },
      { id: ids.waiting, priority: 7, due_at: new Date('2026-11-29T05:32:55.269Z'), fence: 0 },
      { id: ids.delayed, priority: 0, due_at: new Date('2026-12-29T05:32:55.276Z'), fence: 0 },
    ]);
    expect(await rowsOf(db, 'SELECT id, priority, due_at, state FROM inferd.webhooks ORDER BY id')).toEqual([
      { id: ids.webhookUntold, priority: 0, due_at: new Date('2026-11-29T05:32:55.228Z'), state: 'waiting' },
      { id: ids.webhookRetried, priority: -1, due_at: new Date('2026-11-29T06:02:55.188Z'), state: 'waiting' },
      { id: ids.webhookTaken, priority: -1, due_at: new Date('2026-11-29T05:33:55.218Z'), state: 'waiting' },
    ]);
    expect(await rowsOf(db, 'SELECT nspname FROM pg_namespace WHERE nspname = $$inferd_queue$$')).toEqual([]);
  });

  it('goes on with the tasks that waited and ran', async () => {
    const storage = await upgrade(newStorage());
    const plenty = { tasks: 1000, bytes: 1e9 };
    const repository = new TaskRepository(storage, { limits: { ofCaller: plenty, inAll: plenty }, clock: systemClock });
    // Due and expired, whatever the clock says.
    await storage.use(({ db }) =>
      sql`UPDATE inferd.tasks SET due_at = now() - interval '1 s', lease_until = lease_until - interval '10 y'`.execute(
        db,
      ),
    );
    expect(await repository.reclaim()).toMatchObject({ again: [ids.running] });
    const claimed = await repository.claim(10, worker);
    expect(claimed.map(({ id }) => id)).toEqual(
      expect.arrayContaining([ids.running, ids.retried, ids.waiting, ids.delayed]),
    );
    for (const { id, attempt } of claimed) {
      const end = {
        id,
        attempt,
        state: 'failed' as const,
        result: undefined,
        predictionId: undefined,
        error: undefined,
      };
      expect(await repository.finish(end)).toBe(true);
    }
    await storage.use(({ db }) => sql`UPDATE inferd.webhooks SET due_at = now()`.execute(db));
    const webhooks = await repository.webhooks.claim(10, 'new');
    const urls = new Map(webhooks.map(({ task, url }) => [task.id, url]));
    expect([...urls.keys()].toSorted()).toEqual([ids.webhookUntold, ids.webhookRetried, ids.webhookTaken, ids.waiting]);
    expect(new Set(urls.values())).toEqual(new Set(['https://example.org/hook']));
    await repository.close();
  });
});
