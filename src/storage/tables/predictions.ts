import type { ColumnType } from 'kysely';

/** A row of `predictions`: one instance of a request, and what has been said of its answer. */
export interface PredictionsTable {
  /** When it ended; the time in the id, by which the table is parted. */
  at: ColumnType<Date, never, never>;
  /** UUID of version 7, which the instances of a request share. */
  id: ColumnType<string, never, never>;
  /** Index of the instance in its request. */
  instance: ColumnType<number, never, never>;
  request_id: ColumnType<string, never, never>;
  model: ColumnType<string, never, never>;
  version: ColumnType<string | null, never, never>;
  /** Whose terms inputs and outputs are in; null: they are tensors by name. */
  domain: ColumnType<string | null, never, never>;
  key_id: ColumnType<string | null, never, never>;
  key_name: ColumnType<string | null, never, never>;
  /** `OK`, or the code of an error. */
  status: ColumnType<string, never, never>;
  total_ms: ColumnType<number | null, never, never>;
  encode_ms: ColumnType<number | null, never, never>;
  queue_ms: ColumnType<number | null, never, never>;
  batch_ms: ColumnType<number | null, never, never>;
  infer_ms: ColumnType<number | null, never, never>;
  batch_rows: ColumnType<number | null, never, never>;
  inputs: ColumnType<unknown, never, never>;
  outputs: ColumnType<unknown, never, never>;
  /** What the request said beside its instances; null: nothing. */
  options: ColumnType<unknown, never, never>;
  /** What became of the steps of a model that is made of others; null: it is none. */
  steps: ColumnType<unknown, never, never>;
  /** `shadow`: what another version has made of the inputs of a prediction, for comparison; null: a prediction. */
  role: ColumnType<string | null, never, never>;
  /** Of a shadow: the id of the prediction. */
  of_id: ColumnType<string | null, never, never>;
  /** Of a shadow: the index of the instance in the request of the prediction. */
  of_instance: ColumnType<number | null, never, never>;
  /** A list, the last one counts; null: none. */
  feedback: ColumnType<unknown, never, unknown>;
}
