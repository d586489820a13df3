import type { FastifyInstance } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { AppError } from '../errors.ts';
import { sendProblem } from './error-handler.ts';

/** Tells an unknown path (404) from a known one with the wrong method (405, with `Allow`). Registered before any route. */
export function answerUnknownRoutes(app: FastifyInstance): void {
  const known = findMyWay();
  const methods = new Set<HTTPMethod>();

  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat() as HTTPMethod[]) {
      methods.add(one);
      if (known.findRoute(one, url) === null) known.on(one, url, () => undefined);
    }
  });

  app.setNotFoundHandler((request, reply) => {
    const allowed = [...methods].filter((method) => known.find(method, request.url) !== null);
    if (allowed.length === 0) {
      const message = `There is no route ${request.method} ${request.url}`;
      return sendProblem(new AppError('ROUTE_NOT_FOUND', { message }), request, reply);
    }
    reply.header('allow', allowed.join(', '));
    const message = `The route takes ${allowed.join(', ')}, not ${request.method}`;
    return sendProblem(new AppError('METHOD_NOT_ALLOWED', { message, expected: allowed }), request, reply);
  });
}
