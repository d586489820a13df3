import type { FastifyInstance } from 'fastify';
import { AppError, toAppError } from '../errors.ts';
import { addBodyParser } from '../http/body-parser.ts';
import { parseJson } from '../tensor/parse-json.ts';

/**
 * Parses the bodies of the routes in this plugin as JSON whose tensors arrive unchanged: every digit of 64-bit integers,
 * NaN and infinities.
 *
 * @param mediaTypes which bodies are JSON; `*` takes every body, whatever its content type says and if it has none
 */
export function parseExactJson(app: FastifyInstance, mediaTypes: string | string[]): void {
  if (mediaTypes === '*') {
    // Fastify would refuse a type that cannot be parsed.
    app.addHook('onRequest', (request, _reply, done) => {
      delete request.headers['content-type'];
      done();
    });
  }
  app.removeAllContentTypeParsers();
  addBodyParser(app, mediaTypes, readExactJsonBody);
}

/** @throws AppError `MALFORMED_JSON` or `BODY_TOO_LARGE`, with a fault at the body */
export function readExactJsonBody(body: Uint8Array): unknown {
  try {
    if (body.byteLength > 0) return parseJson(body);
  } catch (thrown) {
    const { code, message } = toAppError(thrown);
    throw new AppError(code, { message, faults: [bodyFault(message)], cause: thrown });
  }
  const message = 'The body is empty; expected JSON';
  throw new AppError('MALFORMED_JSON', { message, faults: [bodyFault(message)] });
}

function bodyFault(message: string) {
  return { location: ['body'], type: 'malformed_json', message };
}
