import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { AppError } from '../errors.ts';
import { sendProblem } from './error-handler.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods that the routes of a path and query take; none if there are no routes. */
    methodsOf(url: string): string[];
    /** The error for a request that no route takes, for protocols that answer it in a form of their own; sets `Allow`. */
    unknownRoute(request: FastifyRequest, reply: FastifyReply): AppError;
  }
}

/**
 * Tells an unknown path (404) from a known one with the wrong method (405, with `Allow`). Registered before any route.
 *
 * @param isHidden whether the routes of a path are not there for the time being
 */
export function answerUnknownRoutes(
  app: FastifyInstance,
  { maxHeaderBytes }: { maxHeaderBytes: number },
  isHidden: (path: string) => boolean,
): void {
  const known = findMyWay({ maxParamLength: maxHeaderBytes });
  const methods = new Set<HTTPMethod>();

  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat() as HTTPMethod[]) {
      methods.add(one);
      if (known.findRoute(one, url) === null) known.on(one, url, () => undefined);
    }
  });

  app.decorate('methodsOf', (url: string) =>
    isHidden(url) ? [] : [...methods].filter((method) => known.find(method, url) !== null),
  );
  app.decorate('unknownRoute', (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = app.methodsOf(request.url);
    if (allowed.length === 0) {
      return new AppError('ROUTE_NOT_FOUND', { message: `There is no route ${request.method} ${request.url}` });
    }
    reply.header('allow', allowed.join(', '));
    const message = `The route takes ${allowed.join(', ')}, not ${request.method}`;
    return new AppError('METHOD_NOT_ALLOWED', { message, expected: allowed });
  });
  app.setNotFoundHandler((request, reply) => sendProblem(app.unknownRoute(request, reply), request, reply));
}

/** Answers OPTIONS for every known path with its methods. Registered when it is known who asks. */
export function answerOptions(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const allowed = request.method === 'OPTIONS' ? app.methodsOf(request.url) : [];
    if (allowed.length === 0) done();
    else
      reply
        .code(204)
        .header('allow', [...allowed, 'OPTIONS'].join(', '))
        .send();
  });
}
