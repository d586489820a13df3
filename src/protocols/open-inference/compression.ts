import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { AppError } from '../../errors.ts';

/** The codings of the protocol. `deflate` is the zlib format, as in HTTP. */
export type Coding = 'gzip' | 'deflate';

const decoders = {
  gzip: promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  deflate: promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflate),
};
const encoders = {
  gzip: promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gzip),
  deflate: promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflate),
};

const chunkSize = 64 * 1024;

/**
 * Reads `Content-Encoding`.
 *
 * @returns undefined when the body is not compressed
 * @throws AppError `UNSUPPORTED_MEDIA_TYPE`
 */
export function readContentEncoding(header: string | undefined): Coding | undefined {
  const coding = header?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity' || coding === '') return undefined;
  if (coding === 'gzip' || coding === 'deflate') return coding;
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
export async function decompress(bytes: Uint8Array, coding: Coding, maxBytes: number): Promise<Buffer> {
  try {
    return await decoders[coding](bytes, { maxOutputLength: maxBytes, chunkSize });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes, cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('MALFORMED_BODY', { message: `The body is not valid ${coding}: ${reason}`, cause });
  }
}

/** The error for a body beyond the limit. */
export function tooLarge(maxBytes: number, cause?: unknown): AppError {
  const message = `The body is too large: at most ${maxBytes} bytes are allowed, decompressed too`;
  return new AppError('BODY_TOO_LARGE', { message, expected: maxBytes, ...(cause !== undefined && { cause }) });
}

/** Compresses off the main thread, fast rather than small: tensors of measurements hardly shrink at any effort. */
export function compress(bytes: Uint8Array, coding: Coding): Promise<Buffer> {
  return encoders[coding](bytes, { level: zlib.constants.Z_BEST_SPEED, chunkSize });
}

/**
 * The coding that `Accept-Encoding` prefers; gzip where it likes gzip and deflate alike.
 *
 * @returns undefined for none: the client named none of them, or likes `identity` as well
 */
export function chooseCoding(header: string | undefined): Coding | undefined {
  if (header === undefined) return undefined;
  const weights = new Map(header.split(',').map(readWeight));
  const gzip = weights.get('gzip') ?? 0;
  const deflate = weights.get('deflate') ?? 0;
  const best = Math.max(gzip, deflate);
  if (best === 0 || best <= (weights.get('identity') ?? 0)) return undefined;
  return gzip >= deflate ? 'gzip' : 'deflate';
}

/** `gzip;q=0.5` as name and weight. */
function readWeight(part: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return [coding, Number.isFinite(weight) ? weight : 0];
}
