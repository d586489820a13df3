import type { FastifyInstance, FastifyRequest } from 'fastify';
import { addBodyParser } from '../../../http/body/body-parser.ts';
import { jsonLength } from './infer/infer-body.ts';

/** The element size that has the greatest alignment. */
const alignment = 8;

/**
 * Takes every body as bytes, whatever type it claims to be and if it claims none: clients of the protocol send JSON
 * without a type, as `application/octet-stream`, or as a form, and Triton never looks.
 */
export function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // Fastify would refuse a type that cannot be parsed.
  app.addHook('onRequest', (request, _reply, done) => {
    delete request.headers['content-type'];
    done();
  });
  addBodyParser(app, '*', (body) => body, { join: joinAligned });
}

/** The body of the request; empty if it has none. */
export function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array();
}

/** The chunks in one piece, so that what follows the JSON is aligned: tensors that are can be read in place. */
function joinAligned(chunks: readonly Buffer[], { headers }: FastifyRequest): Buffer {
  const jsonBytes = jsonLength(headers) ?? 0;
  const skip = (alignment - (jsonBytes % alignment)) % alignment;
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, skip);
  const whole = Buffer.allocUnsafeSlow(bytes);
  let offset = skip;
  for (const chunk of chunks) offset += chunk.copy(whole, offset);
  return whole.subarray(skip);
}
