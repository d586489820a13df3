import type { FastifyInstance } from 'fastify';
import { AppError, toAppError } from '../errors.ts';
import { addBodyParser } from '../http/body-parser.ts';
import { parseJson } from '../tensor/parse-json.ts';

/** Parses JSON so that a label that is the number of a class is not rounded to another one: the schema refuses a `bigint`. */
export function parseFeedback(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', (body) => {
    try {
      return parseJson(body);
    } catch (thrown) {
      const { code, message } = toAppError(thrown);
      const faults = [{ location: ['body'], type: 'malformed_json', message }];
      throw new AppError(code, { message, faults, cause: thrown });
    }
  });
}
