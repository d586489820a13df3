import { CompiledQuery, type Kysely } from 'kysely';
import { type Db, PgBoss } from 'pg-boss';
import type { Database } from '../storage/database.ts';
import type { Storage } from '../storage/storage.ts';

const schema = 'inferd_queue';
const yearSeconds = 365 * 86_400;

/** Something to be done, by the id of the task that it is about. */
export interface Job {
  readonly id: string;
  /** The highest first. @default 0 */
  readonly priority?: number;
  /** @default now */
  readonly delaySeconds?: number;
}

const queueNames = ['tasks', 'webhooks'] as const;
const noJob = '00000000-0000-0000-0000-000000000000';

export type QueueName = (typeof queueNames)[number];

/**
 * What is to be done next, in order and in time. Jobs come and go in transactions of the caller, with the rows that they
 * are about: a task that is queued has one job, and no other task has any.
 */
export class TaskQueue {
  readonly #boss: PgBoss;

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  /** Makes the tables of the queue if need be. */
  static async open(storage: Storage, onError: (error: Error) => void): Promise<TaskQueue> {
    const boss = new PgBoss({
      schema,
      backend: storage.isEmbedded ? 'pglite' : 'postgres',
      // Through the storage, so that the queue has the connections that there are now.
      db: { executeSql: (text, values) => storage.use(({ pool }) => pool.query(text, values)) },
      schedule: false,
      // Rebuilding an index beside others needs a second session.
      reindex: !storage.isEmbedded,
    });
    boss.on('error', onError);
    const queue = new TaskQueue(boss);
    try {
      await boss.start();
      for (const name of queueNames) {
        await boss.createQueue(name, { retentionSeconds: yearSeconds });
        // It asks for what it does not know of a queue by another connection, which a transaction could wait for in vain:
        // it must know before.
        await boss.deleteJob(name, noJob);
      }
    } catch (thrown) {
      await queue.close().catch(() => {});
      throw thrown;
    }
    return queue;
  }

  /** Adds jobs; one that is there already stays as it is. */
  async add(transaction: Kysely<Database>, queue: QueueName, jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    const inserts = jobs.map(({ id, priority = 0, delaySeconds = 0 }) => ({
      id,
      priority,
      ...(delaySeconds > 0 && { startAfter: `${delaySeconds} seconds` }),
    }));
    await this.#boss.insert(queue, inserts, { db: within(transaction) });
  }

  /** Takes jobs out that nobody else has taken. */
  async take(transaction: Kysely<Database>, queue: QueueName, limit: number): Promise<string[]> {
    const db = within(transaction);
    const jobs = await this.#boss.fetch(queue, { batchSize: limit, db });
    const ids = jobs.map(({ id }) => id);
    if (ids.length > 0) await this.#boss.deleteJob(queue, ids, { db });
    return ids;
  }

  /** Removes jobs; those that are not there do not matter. */
  async remove(transaction: Kysely<Database>, queue: QueueName, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#boss.deleteJob(queue, [...ids], { db: within(transaction) });
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false });
  }
}

function within(transaction: Kysely<Database>): Db {
  return {
    async executeSql(text, values = []) {
      const { rows } = await transaction.executeQuery(CompiledQuery.raw(text, values));
      return { rows };
    },
  };
}
