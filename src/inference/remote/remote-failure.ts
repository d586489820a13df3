import type { AppError } from '../../errors.ts';

/** How far a call came that failed. */
export type Reach =
  /** No connection, or one that ended before anything of an answer. */
  | 'unreachable'
  /** As `unreachable`, on a connection that had been idle: the server may have closed it before it saw the call. */
  | 'stale'
  /** Something of an answer has come. */
  | 'answered';

/** Why a call of another server gave nothing. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';
  /** What the client is told; it names no address. */
  readonly error: AppError;
  readonly reach: Reach;

  constructor(error: AppError, reach: Reach) {
    super(error.message, { cause: error });
    this.error = error;
    this.reach = reach;
  }
}
