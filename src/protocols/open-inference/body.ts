import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import { takeBodyTurn } from '../../http/body-turns.ts';
import { decompress, readContentEncoding, tooLarge } from './compression.ts';
import { jsonLength } from './infer-body.ts';
import { releaseMemory } from './release-memory.ts';

/** The element size that has the greatest alignment. */
const alignment = 8;

/**
 * Takes every body as bytes, whatever type it claims to be and if it claims none: clients of the protocol send JSON
 * without a type, as `application/octet-stream`, or as a form, and Triton never looks.
 */
export function takeAnyBody(app: FastifyInstance, { bodyLimitBytes }: { bodyLimitBytes: number }): void {
  app.removeAllContentTypeParsers();
  // Fastify would refuse a type that cannot be parsed.
  app.addHook('onRequest', (request, _reply, done) => {
    delete request.headers['content-type'];
    done();
  });
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: Readable) => {
    const body = await readBody(request, payload, bodyLimitBytes);
    return new Promise((resolve) => takeBodyTurn(body.byteLength, () => resolve(body)));
  });
}

/** The body of the request; empty if it has none. */
export function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array();
}

async function readBody({ headers }: FastifyRequest, payload: Readable, maxBytes: number): Promise<Buffer> {
  const coding = readContentEncoding(headers['content-encoding']);
  if (Number(headers['content-length']) > maxBytes) throw tooLarge(maxBytes);
  const chunks = await collect(payload, maxBytes);
  if (coding !== undefined) return decompress(Buffer.concat(chunks), coding, maxBytes);
  const whole = joinAligned(chunks, jsonLength(headers) ?? 0);
  // Node.js copies every chunk of a body that comes over a socket into memory of its own.
  if (payload instanceof IncomingMessage) for (const chunk of chunks) releaseMemory(chunk);
  return whole;
}

function collect(payload: Readable, maxBytes: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    payload.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        chunks.length = 0;
        payload.pause();
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    payload.on('end', () => resolve(chunks));
    payload.on('error', (cause: Error) => {
      reject(new AppError('MALFORMED_BODY', { message: `The body ended too early: ${cause.message}`, cause }));
    });
  });
}

/** The chunks in one piece, so that what follows the JSON is aligned: tensors that are can be read in place. */
function joinAligned(chunks: readonly Buffer[], jsonBytes: number): Buffer {
  const skip = (alignment - (jsonBytes % alignment)) % alignment;
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, skip);
  const whole = Buffer.allocUnsafeSlow(bytes);
  let offset = skip;
  for (const chunk of chunks) offset += chunk.copy(whole, offset);
  return whole.subarray(skip);
}
