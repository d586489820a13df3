import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { SplitSettings } from '../models/traffic/traffic-settings.ts';
import type { Database } from '../storage/database.ts';
import type { OpenStorage } from '../storage/storage.ts';

/** Who has changed something. */
export interface Author {
  /** Public part of the API key. */
  readonly id: string;
  readonly name: string;
}

/** A row of `traffic`, with what the database has of JSON as it is. */
export interface TrafficRow {
  readonly model: string;
  readonly document: unknown;
  readonly etag: string;
  readonly changed_at: Date;
  readonly changed_by: unknown;
}

/** Which state a change is made for: that of an etag, any, or that nothing is stored. */
export type Expected = { readonly etags: readonly string[] } | 'any' | 'nothing';

export interface Change {
  readonly model: string;
  /** Undefined: nothing is stored any more. */
  readonly settings: SplitSettings | undefined;
  readonly expected: Expected;
  /** Undefined where there are no keys. */
  readonly who: Author | undefined;
  readonly why: string | undefined;
}

/** A change was made, or what is stored is not what was expected: its etag, undefined where it is nothing. */
export type Outcome = { readonly changed: true } | { readonly changed: false; readonly etag: string | undefined };

/** The channel that tells other processes of a change. */
export const channel = 'inferd_traffic';

/** The lock of changes: two at a time would not know what is stored. */
const lock = 7_203_118_462;

type Db = OpenStorage['db'];

export function readAll(db: Db): Promise<readonly TrafficRow[]> {
  return db.selectFrom('traffic').selectAll().execute();
}

/** Makes a change, with its event, if what is stored is what the change was made for. */
export function change(db: Db, wanted: Change): Promise<Outcome> {
  return db.transaction().execute(async (transaction) => {
    await transaction.selectNoFrom(({ fn, val }) => fn('pg_advisory_xact_lock', [val(lock)]).as('locked')).execute();
    const { model, settings, expected, who, why } = wanted;
    const stored = await transaction
      .selectFrom('traffic')
      .select(['document', 'etag'])
      .where('model', '=', model)
      .executeTakeFirst();
    if (!fits(expected, stored?.etag)) return { changed: false, etag: stored?.etag };
    if (settings === undefined && stored === undefined) return { changed: true };
    if (settings === undefined) await transaction.deleteFrom('traffic').where('model', '=', model).execute();
    else await put(transaction, { model, document: JSON.stringify(settings), author: textOf(who) });
    await transaction
      .insertInto('traffic_events')
      .values({ model, who: textOf(who), from: textOf(stored?.document), to: textOf(settings), why: why ?? null })
      .execute();
    await transaction.selectNoFrom(({ fn, val }) => fn('pg_notify', [val(channel), val(model)]).as('told')).execute();
    return { changed: true };
  });
}

/** The last changes of a model, the newest first. */
export function readEvents(db: Db, model: string, limit: number) {
  return db
    .selectFrom('traffic_events')
    .select(['id', 'at', 'who', 'from', 'to', 'why'])
    .where('model', '=', model)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Whether a change is for what is stored. */
export function fits(expected: Expected, etag: string | undefined): boolean {
  if (expected === 'any') return true;
  if (expected === 'nothing') return etag === undefined;
  return etag !== undefined && expected.etags.includes(etag);
}

async function put(
  transaction: Transaction<Database>,
  { model, document, author }: { readonly model: string; readonly document: string; readonly author: string | null },
): Promise<void> {
  const row = { document, etag: randomBytes(8).toString('hex'), changed_at: new Date(), changed_by: author };
  await transaction
    .insertInto('traffic')
    .values({ model, ...row })
    .onConflict((conflict) => conflict.column('model').doUpdateSet(row))
    .execute();
}

function textOf(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
