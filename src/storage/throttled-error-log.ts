import { AppError, toAppError } from '../errors.ts';
import type { Log } from '../timing/log.ts';
import type { Storage } from './storage.ts';

/** Logs an error of something that is done again and again. */
export type ThrottledErrorLog = (thrown: unknown, message: string) => void;

export interface ThrottledErrorLogDependencies {
  readonly storage: Pick<Storage, 'state'>;
  readonly log: Pick<Log, 'warn'>;
}

/** Leaves out that the storage is unavailable: the storage logs that itself, once, and every job would at every try. */
export function createThrottledErrorLog({ storage, log }: ThrottledErrorLogDependencies): ThrottledErrorLog {
  return (thrown, message) => {
    // A storage that is ready has logged nothing: its embedded database may be too busy to take another connection.
    if (storage.state !== 'ready' && saysUnavailable(thrown)) return;
    log.warn({ err: thrown instanceof Error ? toAppError(thrown) : thrown }, message);
  };
}

function saysUnavailable(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'STORAGE_UNAVAILABLE';
}
