import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import { addBodyParser } from './body-parser.ts';

/** Parses JSON bodies, and says where one stops being JSON. Routes that take other bodies add their own parsers. */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', readJson);
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message =
      body.byteLength === 0 ? 'The body is empty; expected JSON' : `The body is not valid JSON: ${reason}`;
    const faults = [{ location: ['body'], type: 'malformed_json', message }];
    throw new AppError('MALFORMED_JSON', { message, faults, cause });
  }
}
