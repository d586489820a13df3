import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';

/** Parses JSON bodies, and says where one stops being JSON. Routes that take other bodies add their own parsers. */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body as string));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = body === '' ? 'The body is empty; expected JSON' : `The body is not valid JSON: ${reason}`;
      const faults = [{ location: ['body'], type: 'malformed_json', message }];
      done(new AppError('MALFORMED_JSON', { message, faults, cause }));
    }
  });
}
