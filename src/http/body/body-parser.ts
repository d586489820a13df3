import type { FastifyInstance, FastifyRequest } from 'fastify';
import { toAppError } from '../../errors.ts';
import { takeTurn } from '../../timing/turns.ts';
import { type ReadBodyOptions, readBody } from './read-body.ts';

/**
 * Adds a parser for bodies that are taken whole, not compressed any more. A large one is parsed when it is its turn, and
 * what the route does with it without waiting belongs to that turn.
 *
 * @param mediaTypes `*` for those without another parser
 * @param parse what it throws becomes the answer; it may give a promise
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
      takeTurn(body.byteLength, () => {
        let parsed: unknown;
        try {
          parsed = parse(body, request);
        } catch (thrown) {
          done(toAppError(thrown));
          return;
        }
        if (!(parsed instanceof Promise)) done(null, parsed);
        else
          parsed.then(
            (value: unknown) => done(null, value),
            (thrown: unknown) => done(toAppError(thrown)),
          );
      });
    };
    readBody(request, payload, take, options);
  });
}
