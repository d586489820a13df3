import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { AppError } from '../errors.ts';
import { sendProblem } from './error-handler.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The error for a request that no route takes, for protocols that answer it in a form of their own; sets `Allow`. */
    unknownRoute(request: FastifyRequest, reply: FastifyReply): AppError;
  }
}

/**
 * Tells an unknown path (404) from a known one with the wrong method (405, with `Allow`). Registered before any route.
 *
 * @param isHidden whether the routes of a path are not there for the time being
 */
export function answerUnknownRoutes(app: FastifyInstance, isHidden: (path: string) => boolean): void {
  const known = findMyWay();
  const methods = new Set<HTTPMethod>();

  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat() as HTTPMethod[]) {
      methods.add(one);
      if (known.findRoute(one, url) === null) known.on(one, url, () => undefined);
    }
  });

  app.decorate('unknownRoute', (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = isHidden(request.url)
      ? []
      : [...methods].filter((method) => known.find(method, request.url) !== null);
    if (allowed.length === 0) {
      return new AppError('ROUTE_NOT_FOUND', { message: `There is no route ${request.method} ${request.url}` });
    }
    reply.header('allow', allowed.join(', '));
    const message = `The route takes ${allowed.join(', ')}, not ${request.method}`;
    return new AppError('METHOD_NOT_ALLOWED', { message, expected: allowed });
  });
  app.setNotFoundHandler((request, reply) => sendProblem(app.unknownRoute(request, reply), request, reply));
}
