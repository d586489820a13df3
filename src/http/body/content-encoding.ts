import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { AppError } from '../../errors.ts';
import { type ByteLimit, bodyTooLarge } from './body-too-large.ts';

/** The codings that are read and written. `deflate` is the zlib format, as in HTTP (RFC 9110, section 8.4.1). */
export type Coding = 'gzip' | 'deflate';

const decoders = {
  gzip: promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  deflate: promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflate),
};

const chunkSize = 64 * 1024;

/**
 * Reads `Content-Encoding`.
 *
 * @returns undefined when the body is not compressed
 * @throws AppError `UNSUPPORTED_MEDIA_TYPE`
 */
export function readContentEncoding(header: string | undefined): Coding | undefined {
  if (header === undefined) return undefined;
  const coding = header.trim().toLowerCase();
  if (coding === 'identity' || coding === '') return undefined;
  if (coding === 'gzip' || coding === 'deflate') return coding;
  // RFC 9110 has the old name mean the same.
  if (coding === 'x-gzip') return 'gzip';
  throw new AppError('UNSUPPORTED_MEDIA_TYPE', {
    message: `content-encoding: expected gzip, deflate or identity, received ${JSON.stringify(header)}`,
    received: header,
    expected: ['gzip', 'deflate', 'identity'],
  });
}

/**
 * Decompresses piece by piece, and stops as soon as there is more than allowed.
 *
 * @throws AppError `BODY_TOO_LARGE`, or `MALFORMED_BODY` when the bytes are not of that coding
 */
export async function decompress(bytes: Uint8Array, coding: Coding, limit: ByteLimit): Promise<Buffer> {
  try {
    return await decoders[coding](bytes, { maxOutputLength: limit.bytes, chunkSize });
  } catch (cause) {
    if (cause instanceof RangeError) throw bodyTooLarge(limit, cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('MALFORMED_BODY', { message: `The body is not valid ${coding}: ${reason}`, cause });
  }
}
