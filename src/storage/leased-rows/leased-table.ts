import type { Generated, RawBuilder, Selectable } from 'kysely';

/** The columns of a table of leased rows, beside those of its owner. */
export interface LeaseColumns<State extends string = string> {
  /** One of the two states of the {@link LeasedTable}, or one of the owner's own, which are final. */
  state: Generated<State>;
  /** Among the rows that are due, the highest is claimed first. */
  priority: Generated<number>;
  /** When it may be claimed. */
  due_at: Generated<Date>;
  /** Process that has claimed it; null while none has. */
  worker: string | null;
  /** When the claim ends unless it is renewed; null while it is not claimed. */
  lease_until: Date | null;
  /** Counts the claims: who renews, gives back or ends a claim must have the latest number. */
  fence: Generated<number>;
}

/** Types of SQL that keys and the owner's columns can have. */
export type SqlType = 'uuid' | 'text' | 'integer' | 'bytea' | 'double precision';

export type ColumnOf<Table> = keyof Selectable<Table> & string;

/** Where leased rows are, and what they are called by. */
export interface LeasedTable<Table extends LeaseColumns, KeyColumn extends ColumnOf<Table>> {
  /** Name of the table in the schema of the program. */
  readonly name: string;
  /** The columns of the primary key, in order. */
  readonly key: Readonly<Record<KeyColumn, SqlType>>;
  readonly states: {
    readonly waiting: string;
    readonly leased: string;
  };
  /** Column by whose values a claim can be narrowed. @default none */
  readonly group?: ColumnOf<Table>;
  /** The time that counts. @default that of the database, since the clocks of machines differ */
  readonly now?: () => RawBuilder<Date>;
}

/** Names a row. */
export type Key<Table, KeyColumn extends ColumnOf<Table>> = Readonly<Pick<Selectable<Table>, KeyColumn>>;

/** Names one claim of a row. */
export type Claim<Table, KeyColumn extends ColumnOf<Table>> = Key<Table, KeyColumn> & { readonly fence: number };

/** What a statement does to the owner's columns, and which columns it gives. */
export interface OwnColumns<Table, Returned extends ColumnOf<Table>> {
  /** Expressions, which may name the columns of the row. */
  readonly set?: Readonly<Partial<Record<ColumnOf<Table>, RawBuilder<unknown>>>>;
  readonly returning?: readonly Returned[];
}
