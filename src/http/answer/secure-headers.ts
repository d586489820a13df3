import type { FastifyInstance } from 'fastify';

const yearSeconds = 31_536_000;

/**
 * What browsers have to be told about the answers of an API: not to guess their types and not to keep them. Routes that
 * answer with pages add {@link securePages}.
 */
export function secureAnswers(app: FastifyInstance, { overTls }: { overTls: boolean }): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cache-control', 'no-store');
    if (overTls) reply.header('strict-transport-security', `max-age=${yearSeconds}`);
    done();
  });
}

/** For pages: no site may put them into a frame, and links from them do not tell where they were. */
export function securePages(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-frame-options', 'DENY');
    reply.header('referrer-policy', 'no-referrer');
    // Over plain HTTP browsers ignore it, and say so in the console as an error.
    if (request.protocol === 'https') reply.header('cross-origin-opener-policy', 'same-origin');
    reply.header('cross-origin-resource-policy', 'same-origin');
    done();
  });
}
