import type { FastifyInstance } from 'fastify';
import { AppError, toAppError } from '../errors.ts';
import { addBodyParser } from '../http/body/body-parser.ts';
import { mostLists, parseJson, parseJsonText } from '../tensor/json/parse-json.ts';
import type { LongList } from '../tensor/sliced-json/long-list.ts';
import { readSlicedJson, slicedFromBytes } from '../tensor/sliced-json/read-sliced-json.ts';
import type { SlicedWork } from '../timing/sliced-work.ts';
import { inTurns } from '../timing/turns.ts';

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
  addBodyParser(app, mediaTypes, (body, { server }) => readExactJsonBody(body, server.bodyLimits.jsonLimitBytes));
}

/**
 * Reads JSON whose tensors must arrive unchanged; where it is large, others may go on meanwhile, and long lists come as
 * {@link LongList}.
 *
 * @param maxTextBytes most bytes of one text
 * @throws AppError `MALFORMED_JSON` or `BODY_TOO_LARGE`, with a fault at the body
 */
export function readExactJsonBody(body: Uint8Array, maxTextBytes: number): unknown {
  if (body.byteLength === 0)
    throw locate(new AppError('MALFORMED_JSON', { message: 'The body is empty; expected JSON' }));
  if (body.byteLength >= slicedFromBytes) return readLarge(body, maxTextBytes);
  try {
    return parseJson(body);
  } catch (thrown) {
    throw locate(thrown);
  }
}

async function readLarge(body: Uint8Array, maxTextBytes: number): Promise<unknown> {
  try {
    return await inTurns(readSlicedExactJson(body, maxTextBytes));
  } catch (thrown) {
    throw locate(thrown);
  }
}

/** As {@link readExactJsonBody} reads a large one, without a place in the errors. */
export function readSlicedExactJson(bytes: Uint8Array, maxTextBytes: number): SlicedWork<unknown> {
  return readSlicedJson(bytes, { parse: parseJsonText, longLists: true, maxLists: mostLists, maxTextBytes });
}

function locate(thrown: unknown): AppError {
  const { code, message } = toAppError(thrown);
  const faults = [{ location: ['body'], type: 'malformed_json', message }];
  return new AppError(code, { message, faults, cause: thrown });
}
