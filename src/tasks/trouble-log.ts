import { toAppError } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';

/** Logs what has gone wrong with something that is done again and again. */
export type TroubleLog = (thrown: unknown, message: string) => void;

export interface TroubleLogDependencies {
  readonly storage: Pick<Storage, 'state'>;
  readonly log: { warn(details: object, message: string): void };
}

/** Leaves out that the storage is away: it tells of that itself, and when it is back, and every job would do so at every try. */
export function createTroubleLog({ storage, log }: TroubleLogDependencies): TroubleLog {
  return (thrown, message) => {
    // One that is ready has told of nothing: its embedded database may be too busy to take another connection.
    if (storage.state !== 'ready' && saysUnavailable(thrown)) return;
    log.warn({ err: thrown instanceof Error ? toAppError(thrown) : thrown }, message);
  };
}

/** By the code alone: pg-boss tells of some errors by objects with the same fields. */
function saysUnavailable(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'STORAGE_UNAVAILABLE';
}
