import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { AppError, toAppError } from '../../errors.ts';
import type { BodyLease } from '../../transport/body-budget.ts';
import { type ByteLimit, bodyTooLarge } from './body-too-large.ts';
import { type Coding, decompress, readContentEncoding } from './content-encoding.ts';
import { releaseMemory } from './release-memory.ts';

/** Takes a body, or why there is none. */
export type TakeBody = (error: AppError | null, body: Buffer) => void;

export interface ReadBodyOptions {
  /** Puts the chunks of a body that is not compressed into one piece. @default the only one, or all of them copied */
  readonly join?: (chunks: readonly Buffer[], request: FastifyRequest) => Buffer;
  /** Most bytes by another setting than that of the route. */
  readonly limit?: (request: FastifyRequest) => ByteLimit;
}

const nothing = Buffer.alloc(0);

/**
 * Reads a whole body, and decompresses it as `Content-Encoding` says. What is beyond the body limit of the route, also of
 * what it is decompressed, is `BODY_TOO_LARGE`; the rest of such a body is read and dropped, since many clients look for
 * the answer only when they have sent all.
 *
 * @param take is called once, with an {@link AppError} of `BODY_TOO_LARGE`, `MALFORMED_BODY` or `UNSUPPORTED_MEDIA_TYPE`,
 *   or what `join` throws
 */
export function readBody(
  request: FastifyRequest,
  payload: Readable,
  take: TakeBody,
  { join = joinChunks, limit: ownLimit }: ReadBodyOptions = {},
): void {
  const { headers } = request;
  const limit = lesser({ bytes: request.routeOptions.bodyLimit, setting: 'BODY_LIMIT_BYTES' }, ownLimit?.(request));
  if (Number(headers['content-length']) > limit.bytes) {
    take(bodyTooLarge(limit), nothing);
    return;
  }
  const coding = attempt(() => readContentEncoding(headers['content-encoding']));
  if (coding instanceof AppError) {
    take(coding, nothing);
    return;
  }
  const lease = headers['content-length'] === undefined ? request.bodyLease : undefined;
  collect(payload, { limit, lease }, (error, chunks) => {
    if (error !== null) {
      take(error, nothing);
    } else if (coding !== undefined) {
      unpack(request, Buffer.concat(chunks), { coding, limit }).then(
        (body) => take(null, body),
        (thrown: unknown) => take(toAppError(thrown), nothing),
      );
    } else {
      const joined = attempt(() => join(chunks, request));
      // Node.js copies every chunk of a body that comes over a socket into memory of its own.
      if (payload instanceof IncomingMessage) for (const chunk of chunks) if (chunk !== joined) releaseMemory(chunk);
      if (joined instanceof AppError) take(joined, nothing);
      else take(null, joined);
    }
  });
}

function joinChunks(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
}

/** What a compressed body may become, however small it is. */
const leastUnpackedBytes = 1024 * 1024;

/** Decompresses a body within its limits. Room is made for the most that it may become, for that is known only afterwards. */
async function unpack(
  { bodyLease, server }: FastifyRequest,
  bytes: Buffer,
  { coding, limit }: { readonly coding: Coding; readonly limit: ByteLimit },
): Promise<Buffer> {
  const ratioBytes = Math.max(leastUnpackedBytes, bytes.byteLength * server.bodyLimits.compressionRatioLimit);
  const within = lesser(limit, { bytes: ratioBytes, setting: 'COMPRESSION_RATIO_LIMIT' });
  bodyLease?.take(within.bytes);
  const body = await decompress(bytes, coding, within);
  bodyLease?.giveBack(within.bytes - body.byteLength);
  return body;
}

function lesser(one: ByteLimit, other: ByteLimit | undefined): ByteLimit {
  return other === undefined || one.bytes <= other.bytes ? one : other;
}

interface Collecting {
  readonly limit: ByteLimit;
  /** Counts the chunks of a body without a declared length. */
  readonly lease: BodyLease | undefined;
}

function collect(
  payload: Readable,
  { limit, lease }: Collecting,
  done: (error: AppError | null, chunks: Buffer[]) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer) => {
    bytes += chunk.byteLength;
    const refusal = bytes > limit.bytes ? bodyTooLarge(limit) : countBytes(lease, chunk.byteLength);
    if (refusal !== undefined) end(refusal);
    else chunks.push(chunk);
  };
  const onEnd = () => end(null);
  const onError = (cause: Error) => {
    end(new AppError('MALFORMED_BODY', { message: `The body ended too early: ${cause.message}`, cause }));
  };
  const end = (error: AppError | null) => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    if (error !== null) {
      // Whatever else becomes of the stream is of no interest.
      payload.on('error', () => {}).resume();
      chunks.length = 0;
    }
    done(error, chunks);
  };
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}

/** Gives the error when there is no room for so many bytes more. */
function countBytes(lease: BodyLease | undefined, bytes: number): AppError | undefined {
  if (lease === undefined) return undefined;
  const taken = attempt(() => lease.take(bytes));
  return taken instanceof AppError ? taken : undefined;
}

function attempt<T>(work: () => T): T | AppError {
  try {
    return work();
  } catch (thrown) {
    return toAppError(thrown);
  }
}
