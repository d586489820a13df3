import type { ColumnType, Generated } from 'kysely';

/** JSON, which is written as a text. */
type Json = ColumnType<unknown, string, string>;

/** JSON or null. */
type NullableJson = ColumnType<unknown, string | null, string | null>;

/** A row of `traffic`: how the requests of a model are split, in place of what its `model.json` says. */
export interface TrafficTable {
  model: string;
  /** The document, as `traffic` of `model.json`. */
  document: Json;
  /** Another one after every change. */
  etag: string;
  changed_at: ColumnType<Date, Date | undefined, Date>;
  /** Id and name of the key; null: there are no keys. */
  changed_by: NullableJson;
}

/** A row of `traffic_events`: a change of what is stored for a model. */
export interface TrafficEventsTable {
  /** Ascending. */
  id: Generated<string>;
  model: string;
  at: ColumnType<Date, Date | undefined, never>;
  /** Id and name of the key; null: there are no keys. */
  who: NullableJson;
  /** The document before; null: none was stored. */
  from: NullableJson;
  /** The document from then on; null: none is stored. */
  to: NullableJson;
  why: string | null;
}
