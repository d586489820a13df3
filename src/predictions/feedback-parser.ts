import type { FastifyInstance } from 'fastify';
import { AppError, toAppError } from '../errors.ts';
import { addBodyParser } from '../http/body/body-parser.ts';
import { jsonLimit } from '../http/body/json-parser.ts';
import { mostLists, parseJson, parseJsonText } from '../tensor/json/parse-json.ts';
import { readSlicedJson, slicedFromBytes } from '../tensor/sliced-json/read-sliced-json.ts';
import { inTurns } from '../timing/turns.ts';

/** Parses JSON so that a label that is the number of a class is not rounded to another one: the schema refuses a `bigint`. */
export function parseFeedback(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', parse, { limit: jsonLimit });
}

function parse(body: Buffer): unknown {
  if (body.byteLength >= slicedFromBytes) return parseLarge(body);
  try {
    return parseJson(body);
  } catch (thrown) {
    throw locate(thrown);
  }
}

async function parseLarge(body: Buffer): Promise<unknown> {
  try {
    return await inTurns(readSlicedJson(body, { parse: parseJsonText, maxLists: mostLists }));
  } catch (thrown) {
    throw locate(thrown);
  }
}

function locate(thrown: unknown): AppError {
  const { code, message } = toAppError(thrown);
  const faults = [{ location: ['body'], type: 'malformed_json', message }];
  return new AppError(code, { message, faults, cause: thrown });
}
