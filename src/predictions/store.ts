import { type SelectQueryBuilder, sql } from 'kysely';
import { type Database, schemaName } from '../storage/database.ts';
import type { OpenStorage } from '../storage/storage.ts';
import type { KeptText } from './recording/kept-text.ts';
import { type PredictionId, timeOfUuid } from './recording/prediction-id.ts';
import { type Feedback, feedbackList, type StoredPrediction } from './stored-prediction.ts';

/** Which rows are meant: of predictions alone, of shadows alone, or of both. */
export type PredictionRole = 'primary' | 'shadow' | 'all';

/** What is asked for; all of it must hold. */
export interface PredictionFilter {
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly status?: string | undefined;
  /** Name or id of an API key. */
  readonly key?: string | undefined;
  readonly requestId?: string | undefined;
  /** Name of a step of a graph that ran. */
  readonly step?: string | undefined;
  /** Arm of a switch of a graph that was taken: its index, or `otherwise`. */
  readonly arm?: string | undefined;
  readonly hasFeedback?: boolean | undefined;
  /** Predictions, what other versions have made of their inputs, or both. @default predictions */
  readonly role?: PredictionRole | undefined;
  /** From then on, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Before then, in milliseconds since 1970. */
  readonly untilMs?: number | undefined;
}

/** How many predictions there are of a version on a day. */
export interface DayCount {
  /** As `2026-11-21`, of UTC. */
  readonly day: string;
  readonly version: string | null;
  readonly predictions: number;
  readonly errors: number;
  readonly judged: number;
}

/** Feedback beyond this many on one prediction pushes out the oldest. */
export const maxFeedbacks = 100;

type Db = OpenStorage['db'];
type Query<Row> = SelectQueryBuilder<Database, 'predictions', Row>;

const columns = [
  'id',
  'instance',
  'at',
  'request_id',
  'model',
  'version',
  'domain',
  'key_id',
  'key_name',
  'status',
  'total_ms',
  'encode_ms',
  'queue_ms',
  'batch_ms',
  'infer_ms',
  'batch_rows',
  'role',
  'of_id',
  'of_instance',
] as const;

/** JSON comes as the text that was written: parsed by the driver, whole numbers beyond 2^53 would be others. */
const kept = [
  sql<KeptText>`inputs::text`.as('inputs'),
  sql<KeptText>`outputs::text`.as('outputs'),
  sql<KeptText>`options::text`.as('options'),
  sql<KeptText>`steps::text`.as('steps'),
] as const;

/**
 * Adds rows; those that are there already stay as they are.
 *
 * @param rows texts of JSON objects with the columns of the table, but for the feedback
 */
export async function insertPredictions(db: Db, rows: readonly string[]): Promise<void> {
  const list = sql.raw([...columns, 'inputs', 'outputs', 'options', 'steps'].join(', '));
  // One parameter, whatever the number of rows: nothing is written out or escaped for each value.
  await sql`
    insert into ${sql.id(schemaName, 'predictions')} (${list})
    select ${list} from json_to_recordset(${`[${rows.join(',')}]`}::json) as row (
      at timestamptz, id uuid, instance integer, request_id text, model text, version text, domain text, key_id text,
      key_name text, status text, total_ms real, encode_ms real, queue_ms real, batch_ms real, infer_ms real,
      batch_rows integer, role text, of_id uuid, of_instance integer, inputs json, outputs json, options json, steps jsonb
    )
    on conflict do nothing
  `.execute(db);
}

/** The newest predictions that the filter lets through, the newest first, at most `limit`, older than `before`. */
export async function listPredictions(
  db: Db,
  filter: PredictionFilter,
  { limit, before }: { limit: number; before?: PredictionId | undefined },
): Promise<readonly StoredPrediction[]> {
  let query = filtered(db.selectFrom('predictions').select([...columns, ...kept, 'feedback']), filter);
  if (before !== undefined) query = olderThan(query, before);
  const rows = await query
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .orderBy('instance', 'desc')
    .limit(limit)
    .execute();
  return rows.map(withFeedback);
}

export async function findPrediction(db: Db, { uuid, instance }: PredictionId): Promise<StoredPrediction | undefined> {
  const row = await db
    .selectFrom('predictions')
    .select([...columns, ...kept, 'feedback'])
    .where('at', '=', timeOf(uuid))
    .where('id', '=', uuid)
    .where('instance', '=', instance)
    .executeTakeFirst();
  return row === undefined ? undefined : withFeedback(row);
}

/** Those of the predictions that there are, in no order. */
export async function findPredictions(db: Db, ids: readonly PredictionId[]): Promise<readonly StoredPrediction[]> {
  const times = ids.map(({ uuid }) => timeOfUuid(uuid));
  const wanted = ids.map(({ uuid, instance }) => ({ at: timeOf(uuid).toISOString(), id: uuid, instance }));
  const rows = await db
    .selectFrom('predictions')
    .select([...columns, ...kept, 'feedback'])
    // The bounds say nothing new, but leave partitions out.
    .where('at', '>=', new Date(Math.min(...times)))
    .where('at', '<=', new Date(Math.max(...times)))
    .where(
      sql<boolean>`(at, id, instance) in (
        select * from json_to_recordset(${JSON.stringify(wanted)}::json) as wanted (at timestamptz, id uuid, instance integer)
      )`,
    )
    .execute();
  return rows.map(withFeedback);
}

/** Adds what a client says of an answer; two at the same time are both kept. */
export async function addFeedback(db: Db, { uuid, instance }: PredictionId, feedback: Feedback): Promise<void> {
  const given = sql`${JSON.stringify([feedback])}::jsonb`;
  await db
    .updateTable('predictions')
    .set({
      feedback: sql`
        (case when jsonb_array_length(feedback) >= ${maxFeedbacks}::integer then feedback - 0
              else coalesce(feedback, '[]'::jsonb) end) || ${given}`,
    })
    .where('at', '=', timeOf(uuid))
    .where('id', '=', uuid)
    .where('instance', '=', instance)
    .execute();
}

/** How many predictions there are by version and day, the newest day first. */
export async function countByDay(db: Db, filter: PredictionFilter): Promise<readonly DayCount[]> {
  const day = sql<string>`to_char(at at time zone 'UTC', 'YYYY-MM-DD')`;
  const rows = await filtered(
    db
      .selectFrom('predictions')
      .select(({ fn }) => [
        day.as('day'),
        'version',
        fn.countAll<string>().as('predictions'),
        fn.countAll<string>().filterWhere('status', '!=', 'OK').as('errors'),
        fn.count<string>('feedback').as('judged'),
      ]),
    filter,
  )
    .groupBy([day, 'version'])
    .orderBy(day, 'desc')
    .orderBy('version', 'desc')
    .execute();
  return rows.map((row) => ({
    ...row,
    predictions: Number(row.predictions),
    errors: Number(row.errors),
    judged: Number(row.judged),
  }));
}

function filtered<Row>(query: Query<Row>, filter: PredictionFilter): Query<Row> {
  const { model, version, status, key, requestId, hasFeedback, step, arm, sinceMs, untilMs } = filter;
  const { role = 'primary' } = filter;
  let narrowed = query;
  if (role !== 'all') narrowed = narrowed.where('role', role === 'shadow' ? 'is not' : 'is', null);
  if (model !== undefined) narrowed = narrowed.where('model', '=', model);
  if (version !== undefined) narrowed = narrowed.where('version', '=', version);
  if (status !== undefined) narrowed = narrowed.where('status', '=', status);
  if (requestId !== undefined) narrowed = narrowed.where('request_id', '=', requestId);
  if (key !== undefined) narrowed = narrowed.where((eb) => eb.or([eb('key_id', '=', key), eb('key_name', '=', key)]));
  if (hasFeedback !== undefined) narrowed = narrowed.where('feedback', hasFeedback ? 'is not' : 'is', null);
  const stepLike = { ...(step !== undefined && { name: step }), ...(arm !== undefined && { arm }) };
  if (step !== undefined || arm !== undefined) {
    narrowed = narrowed.where(sql<boolean>`steps @> ${JSON.stringify([stepLike])}::jsonb`);
  }
  if (sinceMs !== undefined) narrowed = narrowed.where('at', '>=', new Date(sinceMs));
  if (untilMs !== undefined) narrowed = narrowed.where('at', '<', new Date(untilMs));
  return narrowed;
}

function olderThan<Row>(query: Query<Row>, { uuid, instance }: PredictionId): Query<Row> {
  const at = timeOf(uuid);
  return (
    query
      // The next condition says the same and more, but leaves no partition out.
      .where('at', '<=', at)
      .where(({ eb, refTuple, tuple }) => eb(refTuple('at', 'id', 'instance'), '<', tuple(at, uuid, instance)))
  );
}

function timeOf(uuid: string): Date {
  return new Date(timeOfUuid(uuid));
}

function withFeedback<Row extends { readonly feedback: unknown }>(row: Row) {
  return { ...row, feedback: feedbackList.parse(row.feedback ?? []) };
}
