import { AppError } from '../../errors.ts';

/** A bound of the bytes of a body, and the setting that it comes from. */
export interface ByteLimit {
  readonly bytes: number;
  readonly setting: 'BODY_LIMIT_BYTES' | 'JSON_LIMIT_BYTES' | 'COMPRESSION_RATIO_LIMIT';
}

/** The error for a body beyond the limit. */
export function bodyTooLarge(limit: number | ByteLimit, cause?: unknown): AppError {
  const { bytes, setting } = typeof limit === 'number' ? { bytes: limit, setting: 'BODY_LIMIT_BYTES' } : limit;
  const message = `The body is too large: at most ${bytes} bytes are allowed (${setting}), decompressed too`;
  return new AppError('BODY_TOO_LARGE', { message, expected: bytes, ...(cause !== undefined && { cause }) });
}
