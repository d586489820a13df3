import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import { type Database, schemaName } from '../database.ts';
import { columnsOf, givenRows } from './given-rows.ts';
import type { Claim, ColumnOf, Key, LeaseColumns, LeasedTable, OwnColumns, SqlType } from './leased-table.ts';

type Db = Kysely<Database>;

export interface ClaimOptions {
  /** Names the process; no other has the same name, ever. */
  readonly worker: string;
  readonly leaseMs: number;
  /** Most rows at once. */
  readonly limit: number;
  /** Only rows that have one of these in the column `group`. @default all */
  readonly groups?: readonly string[];
}

export interface ExpiredOptions {
  /** Most rows at once. */
  readonly limit: number;
  /** The only worker that can be alive. @default the leases tell who is */
  readonly survivor?: string | undefined;
}

/** Values of the owner's columns, one set for each row, with their types of SQL. */
interface OwnValues<Table, Returned extends ColumnOf<Table>, Value extends string> extends OwnColumns<Table, Returned> {
  readonly values?: Readonly<Record<Value, SqlType>>;
}

/**
 * Rows of a table that wait until they are due, are claimed by one worker at a time, and are ended once. Every method is
 * one statement, which can be part of a transaction of the caller.
 *
 * A claim lasts as long as its lease, and beyond that until another worker takes it over: each claim of a row has a higher
 * fencing number than the one before, and what comes with an older number changes nothing. So a worker that was only slow
 * cannot end what another has by now.
 */
export class LeasedRows<Table extends LeaseColumns, KeyColumn extends ColumnOf<Table>> {
  readonly #definition: LeasedTable<Table, KeyColumn>;
  readonly #table: RawBuilder<unknown>;
  readonly #keyColumns: readonly KeyColumn[];
  readonly #waiting: RawBuilder<unknown>;
  readonly #leased: RawBuilder<unknown>;
  readonly #claimTypes: Readonly<Record<string, SqlType>>;

  constructor(definition: LeasedTable<Table, KeyColumn>) {
    this.#definition = definition;
    this.#table = sql.id(schemaName, definition.name);
    this.#keyColumns = columnsOf(definition.key);
    // Literals: a partial index is of use only to a statement that has its condition word by word.
    this.#waiting = sql.lit(definition.states.waiting);
    this.#leased = sql.lit(definition.states.leased);
    this.#claimTypes = { ...definition.key, fence: 'integer' };
  }

  /** Claims rows that are due: the highest priority first, of the same priority the one that is due for longest. */
  async claim<Returned extends ColumnOf<Table> = never>(
    db: Db,
    { worker, leaseMs, limit, groups }: ClaimOptions,
    own: OwnColumns<Table, Returned> = {},
  ): Promise<(Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>)[]> {
    const { rows } = await sql<Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>>`
      WITH due AS MATERIALIZED (
        SELECT ${this.#keys()} FROM ${this.#table}
        WHERE state = ${this.#waiting} AND due_at <= ${this.#now} ${this.#inGroups(groups)}
        ORDER BY priority DESC, due_at, ${this.#keys()} LIMIT ${limit} FOR UPDATE SKIP LOCKED
      )
      UPDATE ${this.#table} AS leased
      SET state = ${this.#leased}, fence = leased.fence + 1, worker = ${worker}, lease_until = ${this.#after(leaseMs)}
        ${assignments(own.set)}
      FROM due WHERE ${this.#matches('due', this.#keyColumns)}
      RETURNING ${this.#returned(own.returning)}`.execute(db);
    return rows;
  }

  /**
   * Extends claims, and gives those that are still the latest ones of their rows. It waits for no lock: a row that another
   * transaction is changing keeps its lease as it is.
   */
  async renew(db: Db, claims: readonly Claim<Table, KeyColumn>[], leaseMs: number): Promise<Claim<Table, KeyColumn>[]> {
    const columns = columnsOf(this.#claimTypes);
    const { rows } = await sql<Claim<Table, KeyColumn>>`
      WITH held AS MATERIALIZED (
        SELECT ${this.#returned([])} FROM ${this.#table} AS leased JOIN ${this.#given(claims)}
        ON ${this.#matches('given', columns)} WHERE leased.state = ${this.#leased}
      ), free AS MATERIALIZED (
        SELECT ${this.#returned([])} FROM ${this.#table} AS leased JOIN held ON ${this.#matches('held', columns)}
        WHERE leased.state = ${this.#leased} FOR UPDATE OF leased SKIP LOCKED
      ), renewed AS (
        UPDATE ${this.#table} AS leased SET lease_until = ${this.#after(leaseMs)}
        FROM free WHERE ${this.#matches('free', columns)}
      )
      SELECT * FROM held`.execute(db);
    return rows;
  }

  /**
   * Lets claimed rows wait again, each from `delayMs` on, or as before where that is undefined. Gives those whose claim was
   * still the latest one.
   */
  giveBack<Returned extends ColumnOf<Table> = never, Value extends ColumnOf<Table> = never>(
    db: Db,
    claims: readonly (Claim<Table, KeyColumn> & { readonly delayMs: number | undefined } & Readonly<
        Record<NoInfer<Value>, unknown>
      >)[],
    own: OwnValues<Table, Returned, Value> = {},
  ): Promise<(Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>)[]> {
    const types: Record<string, SqlType> = { ...own.values, delayMs: 'double precision' };
    const due = sql`coalesce(${this.#now} + given."delayMs" * interval '1 millisecond', leased.due_at)`;
    return this.#settle(
      db,
      claims,
      types,
      sql`state = ${this.#waiting}, due_at = ${due} ${givenValues(own.values)}`,
      own,
    );
  }

  /** Ends claimed rows, each in its final state. Gives those whose claim was still the latest one. */
  end<Returned extends ColumnOf<Table> = never, Value extends ColumnOf<Table> = never>(
    db: Db,
    ends: readonly (Claim<Table, KeyColumn> & { readonly state: string } & Readonly<Record<NoInfer<Value>, unknown>>)[],
    own: OwnValues<Table, Returned, Value> = {},
  ): Promise<(Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>)[]> {
    const types: Record<string, SqlType> = { ...own.values, state: 'text' };
    return this.#settle(db, ends, types, sql`state = given.state ${givenValues(own.values)}`, own);
  }

  /** Ends claimed rows by deleting them. Gives those whose claim was still the latest one. */
  async remove(db: Db, claims: readonly Claim<Table, KeyColumn>[]): Promise<Claim<Table, KeyColumn>[]> {
    const { rows } = await sql<Claim<Table, KeyColumn>>`
      DELETE FROM ${this.#table} AS leased USING ${this.#given(claims)}
      WHERE ${this.#matches('given', columnsOf(this.#claimTypes))} AND leased.state = ${this.#leased}
      RETURNING ${this.#returned([])}`.execute(db);
    return rows;
  }

  /** Ends rows that are not ended, whether they wait or are claimed; such a claim is void then. */
  async revoke<Returned extends ColumnOf<Table> = never>(
    db: Db,
    keys: readonly Key<Table, KeyColumn>[],
    state: string,
    own: OwnColumns<Table, Returned> = {},
  ): Promise<(Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>)[]> {
    const { rows } = await sql<Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>>`
      UPDATE ${this.#table} AS leased
      SET state = ${state}, worker = NULL, lease_until = NULL ${assignments(own.set)}
      FROM ${givenRows(keys, this.#definition.key)}
      WHERE ${this.#matches('given', this.#keyColumns)} AND leased.state IN (${this.#waiting}, ${this.#leased})
      RETURNING ${this.#returned(own.returning)}`.execute(db);
    return rows;
  }

  /** Whether there are rows whose lease has expired: without any, {@link lockExpired} and its transaction are not needed. */
  async hasExpired(db: Db, survivor?: string): Promise<boolean> {
    const { rows } = await sql`
      SELECT FROM ${this.#table} AS leased WHERE leased.state = ${this.#leased} AND ${this.#isOver(survivor)}
      LIMIT 1`.execute(db);
    return rows.length > 0;
  }

  /**
   * Locks rows whose lease has expired, for a caller who gives them back or ends them in the same transaction: the claims are
   * the latest ones until then.
   */
  async lockExpired<Returned extends ColumnOf<Table> = never>(
    db: Db,
    { limit, survivor }: ExpiredOptions,
    returning: readonly Returned[] = [],
  ): Promise<(Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>)[]> {
    const { rows } = await sql<Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>>`
      SELECT ${this.#returned(returning)} FROM ${this.#table} AS leased
      WHERE leased.state = ${this.#leased} AND ${this.#isOver(survivor)}
      LIMIT ${limit} FOR UPDATE SKIP LOCKED`.execute(db);
    return rows;
  }

  /**
   * How long it is until the next row becomes due, in ms; undefined when none waits for its time. A row that has become due
   * in the last half minute counts, below 0: a claim may have come a moment too early for it, and no other would come.
   *
   * @param groups those of the claims: a row that they leave would count again and again. @default all
   */
  async nextDueMs(db: Db, groups?: readonly string[]): Promise<number | undefined> {
    const { rows } = await sql<{ ms: number | null }>`
      SELECT (extract(epoch FROM min(due_at) - ${this.#now}) * 1000)::float8 AS ms FROM ${this.#table}
      WHERE state = ${this.#waiting} AND due_at > ${this.#now} - interval '30 seconds'
        ${this.#inGroups(groups)}`.execute(db);
    return rows[0]?.ms ?? undefined;
  }

  async #settle<Returned extends ColumnOf<Table>>(
    db: Db,
    claims: readonly Claim<Table, KeyColumn>[],
    types: Readonly<Record<string, SqlType>>,
    change: RawBuilder<unknown>,
    own: OwnColumns<Table, Returned>,
  ): Promise<(Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>)[]> {
    const { rows } = await sql<Claim<Table, KeyColumn> & Pick<Selectable<Table>, Returned>>`
      UPDATE ${this.#table} AS leased
      SET ${change}, worker = NULL, lease_until = NULL ${assignments(own.set)}
      FROM ${this.#given(claims, types)}
      WHERE ${this.#matches('given', columnsOf(this.#claimTypes))} AND leased.state = ${this.#leased}
      RETURNING ${this.#returned(own.returning)}`.execute(db);
    return rows;
  }

  get #now(): RawBuilder<Date> {
    return this.#definition.now?.() ?? sql<Date>`now()`;
  }

  #after(delayMs: number): RawBuilder<Date> {
    return sql<Date>`${this.#now} + make_interval(secs => ${delayMs / 1000})`;
  }

  #isOver(survivor: string | undefined): RawBuilder<unknown> {
    if (survivor === undefined) return sql`leased.lease_until < ${this.#now}`;
    return sql`leased.lease_until IS NOT NULL AND leased.worker <> ${survivor}`;
  }

  #keys(): RawBuilder<unknown> {
    return sql.join(this.#keyColumns.map((column) => sql.id(column)));
  }

  #given(rows: readonly object[], types: Readonly<Record<string, SqlType>> = {}): RawBuilder<unknown> {
    return givenRows(
      rows.map((row) => ({ ...row })),
      { ...this.#claimTypes, ...types },
    );
  }

  #matches(other: string, columns: readonly string[]): RawBuilder<unknown> {
    const pairs = columns.map((column) => sql`${sql.id('leased', column)} = ${sql.id(other, column)}`);
    return sql.join(pairs, sql` AND `);
  }

  #inGroups(groups: readonly string[] | undefined): RawBuilder<unknown> {
    const { group } = this.#definition;
    return groups === undefined || group === undefined ? sql`` : sql`AND ${sql.id(group)} = ANY (${groups}::text[])`;
  }

  #returned(columns: readonly string[] = []): RawBuilder<unknown> {
    const all = new Set([...this.#keyColumns, 'fence', ...columns]);
    return sql.join([...all].map((column) => sql.id('leased', column)));
  }
}

function givenValues(values: Readonly<Partial<Record<string, SqlType>>> = {}): RawBuilder<unknown> {
  return assignments(Object.fromEntries(columnsOf(values).map((column) => [column, sql.id('given', column)])));
}

function assignments(set: Readonly<Partial<Record<string, RawBuilder<unknown>>>> = {}): RawBuilder<unknown> {
  const pairs = Object.entries(set).map(([column, value]) => sql`, ${sql.id(column)} = ${value}`);
  return pairs.length === 0 ? sql`` : sql.join(pairs, sql` `);
}
