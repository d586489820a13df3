import { AppError } from '../errors.ts';

/** The error for a body beyond the limit. */
export function bodyTooLarge(maxBytes: number, cause?: unknown): AppError {
  const message = `The body is too large: at most ${maxBytes} bytes are allowed (BODY_LIMIT_BYTES), decompressed too`;
  return new AppError('BODY_TOO_LARGE', { message, expected: maxBytes, ...(cause !== undefined && { cause }) });
}
