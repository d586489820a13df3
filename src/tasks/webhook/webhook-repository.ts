import { type Kysely, sql } from 'kysely';
import type { Database } from '../../storage/database.ts';
import { LeasedRows } from '../../storage/leased-rows/leased-rows.ts';
import type { Storage } from '../../storage/storage.ts';
import type { WebhooksTable } from '../../storage/tables/webhooks.ts';
import { findWebhooks } from '../repository/task-reads.ts';
import type { Task } from '../task.ts';

const leaseMs = 60_000;
const sweepSize = 500;
/** Of webhooks that were claimed before: new ones come first. */
const lowPriority = sql`-1`;

const leasedWebhooks = new LeasedRows<WebhooksTable, 'id'>({
  name: 'webhooks',
  key: { id: 'uuid' },
  states: { waiting: 'waiting', leased: 'calling' },
});

/** One claim of a webhook; `id` is that of its task. */
export interface WebhookClaim {
  readonly id: string;
  readonly fence: number;
}

/** The end of a task whose webhook is to be called. */
export interface ClaimedWebhook {
  readonly task: Task;
  readonly url: string;
  readonly fence: number;
}

/** Lets the webhooks of tasks that have ended wait for their call, within the transaction of the end. */
export async function addWebhooks(
  db: Kysely<Database>,
  ended: readonly (readonly [id: string, webhook: string | null])[],
): Promise<void> {
  const rows = ended.filter(([, webhook]) => webhook !== null).map(([id]) => ({ id, worker: null, lease_until: null }));
  if (rows.length === 0) return;
  await db
    .insertInto('webhooks')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The webhooks that wait and are being called. One that was called is deleted, and so is one whose task is. */
export class WebhookRepository {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Claims webhooks that are due; those that are not settled within a minute are claimed again. */
  claim(limit: number, worker: string): Promise<ClaimedWebhook[]> {
    return this.#storage.use(async ({ db }) => {
      const claims = await leasedWebhooks.claim(db, { worker, leaseMs, limit });
      if (claims.length === 0) return [];
      const fences = new Map(claims.map(({ id, fence }) => [id, fence]));
      const found = await findWebhooks(
        db,
        claims.map(({ id }) => id),
      );
      return found.map(({ task, url }) => ({ task, url, fence: fences.get(task.id) ?? 0 }));
    });
  }

  /** How long it is until the next webhook becomes due, in ms; undefined when none waits for its time. */
  nextDueMs(): Promise<number | undefined> {
    return this.#storage.use(({ db }) => leasedWebhooks.nextDueMs(db));
  }

  /** Lets webhooks wait again that were claimed and not called. */
  async giveBack(claims: readonly WebhookClaim[]): Promise<void> {
    if (claims.length === 0) return;
    await this.#storage.use(({ db }) =>
      leasedWebhooks.giveBack(
        db,
        claims.map(({ id, fence }) => ({ id, fence, delayMs: 0 })),
      ),
    );
  }

  /** The call succeeded, or is given up (undefined), or is to be tried again after so many seconds. */
  async settle({ id, fence }: WebhookClaim, retrySeconds: number | undefined): Promise<void> {
    await this.#storage.use(async ({ db }): Promise<unknown> => {
      if (retrySeconds === undefined) return leasedWebhooks.remove(db, [{ id, fence }]);
      const back = [{ id, fence, delayMs: retrySeconds * 1000 }];
      return leasedWebhooks.giveBack(db, back, { set: { priority: lowPriority } });
    });
  }

  /**
   * Lets webhooks wait again whose leases have expired.
   *
   * @param survivor the only worker that can be alive; undefined: the leases tell
   */
  async reclaim(survivor?: string): Promise<void> {
    await this.#storage.use(async ({ db }) => {
      if (!(await leasedWebhooks.hasExpired(db, survivor))) return;
      await db.transaction().execute(async (transaction) => {
        const expired = await leasedWebhooks.lockExpired(transaction, { limit: sweepSize, survivor });
        const back = expired.map(({ id, fence }) => ({ id, fence, delayMs: undefined }));
        await leasedWebhooks.giveBack(transaction, back, { set: { priority: lowPriority } });
      });
    });
  }
}
