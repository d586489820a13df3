import type { FastifyInstance, FastifyRequest } from 'fastify';
import { toAppError } from '../errors.ts';
import { takeBodyTurn } from './body-turns.ts';
import { type ReadBodyOptions, readBody } from './read-body.ts';

/**
 * Adds a parser for bodies that are taken whole, not compressed any more. A large one is parsed when it is its turn, and
 * what the route does with it without waiting belongs to that turn.
 *
 * @param mediaTypes `*` for those without another parser
 * @param parse what it throws becomes the answer
 */
export function addBodyParser(
  app: FastifyInstance,
  mediaTypes: string | string[],
  parse: (body: Buffer, request: FastifyRequest) => unknown,
  options: ReadBodyOptions = {},
): void {
  app.addContentTypeParser(mediaTypes, (request, payload, done) => {
    const take = (error: Error | null, body: Buffer) => {
      if (error !== null) {
        done(error);
        return;
      }
      takeBodyTurn(body.byteLength, () => {
        let parsed: unknown;
        try {
          parsed = parse(body, request);
        } catch (thrown) {
          done(toAppError(thrown));
          return;
        }
        done(null, parsed);
      });
    };
    readBody(request, payload, take, options);
  });
}
