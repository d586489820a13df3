import { AppError, type ErrorCode } from '../errors.ts';

const codes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['REMOTE_UNREACHABLE', 'REMOTE_FAILED']);

/** Whether the fault is that of another server, which this one can do nothing about. */
export function isElsewhere(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  return codes.has(error.code) || isElsewhere(error.cause);
}
