import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import { addBodyParser } from './body-parser.ts';
import { decodeUtf8 } from './utf8.ts';

/** Parses JSON bodies, and says where one stops being JSON. Routes that take other bodies add their own parsers. */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', readJson);
}

function readJson(body: Buffer): unknown {
  if (body.byteLength === 0) throw malformed('The body is empty; expected JSON');
  const text = decodeText(body);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw malformed(`The body is not valid JSON: ${reason}`, cause);
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
