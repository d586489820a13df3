import type { ColumnType, Generated } from 'kysely';
import type { LeaseColumns } from '../leased-rows/leased-table.ts';

/** `queued` and `running` become one of the others, which are final. */
export type TaskState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** A row of `tasks`, a leased row: it is claimed whenever a worker begins with the task. */
export interface TasksTable extends LeaseColumns<TaskState> {
  /** UUID of version 7: ordered by the time of its making. */
  id: string;
  /** What is to be done, by the name that programs know it by. */
  work: string;
  /** Model that the work is about, for filters and for keys that may use some models only. */
  model: string;
  /** Id of the API key that submitted it; empty without one. */
  owner: string;
  /** Name of that key. */
  owner_name: Generated<string>;
  instances: number;
  /** Claims that ended in an error that may pass. */
  failures: Generated<number>;
  /** Claims whose lease expired. */
  deaths: Generated<number>;
  retries: number;
  idempotency_key: string | null;
  /** SHA-256 of everything that was asked for. */
  fingerprint: Buffer;
  /** Null: in a file. */
  input: Buffer | null;
  /** Size of the input, wherever it is; it comes as a text. */
  input_bytes: ColumnType<string, number | undefined, never>;
  /** JSON; null without a result, and where it is in a file. */
  result: Buffer | null;
  /** By which the prediction log has what the result was made of; null if it does not. */
  prediction_id: string | null;
  /** JSON: the latest error. */
  error: string | null;
  webhook: string | null;
  ttl_seconds: number;
  created_at: Generated<Date>;
  started_at: Date | null;
  finished_at: Date | null;
  /** When it is deleted; null until it is finished. */
  expires_at: Date | null;
}
