import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, toAppError } from '../../errors.ts';
import { mostLists } from '../../tensor/json/parse-json.ts';
import { readSlicedJson, slicedFromBytes } from '../../tensor/sliced-json/read-sliced-json.ts';
import { inTurns } from '../../timing/turns.ts';
import { addBodyParser } from './body-parser.ts';
import type { ByteLimit } from './body-too-large.ts';
import { decodeUtf8 } from './utf8.ts';

/** Parses JSON bodies, and says where one stops being JSON. Routes that take other bodies add their own parsers. */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', readJson, { limit: jsonLimit });
}

/** The bound of a body that is no tensor and no file. */
export function jsonLimit({ server }: FastifyRequest): ByteLimit {
  return { bytes: server.bodyLimits.jsonLimitBytes, setting: 'JSON_LIMIT_BYTES' };
}

function readJson(body: Buffer): unknown {
  if (body.byteLength >= slicedFromBytes) return readLargeJson(body);
  if (body.byteLength === 0) throw malformed('The body is empty; expected JSON');
  const text = decodeText(body);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw malformed(`The body is not valid JSON: ${reason}`, cause);
  }
}

async function readLargeJson(body: Buffer): Promise<unknown> {
  try {
    return await inTurns(readSlicedJson(body, { parse: JSON.parse, maxLists: mostLists }));
  } catch (thrown) {
    const { code, message } = toAppError(thrown);
    if (code === 'MALFORMED_JSON') throw malformed(message, thrown);
    throw thrown;
  }
}

/** RFC 8259: JSON is UTF-8, and a byte order mark may be ignored. */
function decodeText(body: Buffer): string {
  try {
    return decodeUtf8(body);
  } catch (cause) {
    throw malformed('The body is not valid UTF-8', cause);
  }
}

function malformed(message: string, cause?: unknown): AppError {
  const faults = [{ location: ['body'], type: 'malformed_json', message }];
  return new AppError('MALFORMED_JSON', { message, faults, cause });
}
