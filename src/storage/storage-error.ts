import { AppError, hideFolders } from '../errors.ts';

const retryAfterSeconds = 5;

/** SQLSTATE classes of a server that cannot be worked with for now: connection, resources, operator, system. */
const unavailableClasses = new Set(['08', '53', '57', '58']);
const queryCancelled = '57014';
/** SQLSTATE, and the errors of files: no room, or no more for this user. */
const diskFull = new Set(['53100', 'ENOSPC', 'EDQUOT']);
/** A conflict of two transactions: worth another try, with the connection as it is. */
const conflicts = new Set(['40001', '40P01']);
/** A refused password or an unknown database may be right again after an operator has corrected it. */
const refusals = new Set(['28000', '28P01', '3D000']);

/** How an error of the driver concerns the storage; undefined when it is about the statement. */
export type StorageTrouble = 'unavailable' | 'full' | 'conflict';

/** What an error of the driver says about the storage; undefined when it is the statement's own fault. */
export function troubleOf(thrown: unknown): StorageTrouble | undefined {
  if (!(thrown instanceof Error) || thrown instanceof AppError) return undefined;
  const code = codeOf(thrown);
  if (diskFull.has(code) || /No space left on device/i.test(thrown.message)) return 'full';
  if (conflicts.has(code)) return 'conflict';
  if (code === queryCancelled) return undefined;
  if (isSqlState(code)) {
    return unavailableClasses.has(code.slice(0, 2)) || refusals.has(code) ? 'unavailable' : undefined;
  }
  return isConnectionError(code, thrown.message) ? 'unavailable' : undefined;
}

/** SQLSTATE of an error that the database has sent, or the name that Node.js has for it; empty if it has none. */
function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code);
}

/** Whether an error was sent by the database: a connection that is not there has none to send. */
export function isAnswer(thrown: unknown): boolean {
  return isSqlState(codeOf(thrown));
}

/** The driver and the sockets under it have no common class for a connection that is not there. */
function isConnectionError(code: string, message: string): boolean {
  if (/^E[A-Z]+$/.test(code)) return true;
  return /connection|timeout|terminated|not queryable|pool after calling end/i.test(message);
}

/** Whether an error is of files that are not as the database has written them. */
export function showsDamage(thrown: unknown): boolean {
  return codeOf(thrown).startsWith('XX');
}

/** What to do about a folder that is damaged. */
export const damageAdvice = 'restore the folder from a backup, or move it away to begin with an empty one';

/** Whether the embedded database is of no use after this error: without room for its log it never answers again. */
export function breaksEmbedded(thrown: unknown): boolean {
  return troubleOf(thrown) === 'full' && /pg_wal/.test(reasonOf(thrown));
}

/** The error that clients see while the storage cannot be used. */
export function storageUnavailable(reason: string, cause?: unknown): AppError {
  return new AppError('STORAGE_UNAVAILABLE', {
    message: `The storage cannot be used: ${reason}`,
    retryAfterSeconds,
    cause,
  });
}

/** An error of the driver in our own terms; what is about the statement passes as it is. */
export function toStorageError(thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown;
  const trouble = troubleOf(thrown);
  if (trouble === undefined) return thrown;
  const reason = reasonOf(thrown);
  if (trouble === 'full') {
    const message = `The storage has no room left, and nothing was kept: ${hideFolders(reason)}`;
    return new AppError('STORAGE_FULL', { message, retryAfterSeconds, cause: thrown });
  }
  return storageUnavailable(hideFolders(reason), thrown);
}

/** The message of an error; those of refused connections have theirs inside. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(reasonOf).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether a caller waited too long for a connection of the pool. */
export function isWaitForConnection(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === 'timeout exceeded when trying to connect';
}
