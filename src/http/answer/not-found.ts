import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { AppError } from '../../errors.ts';
import { sendProblem } from './error-handler.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods that the routes of a path and query take; none if there are no routes. */
    methodsOf(url: string): string[];
    /** How the errors of paths are written whose routes are of another protocol than those beside them. */
    readonly errorForms: Map<string, SendError>;
  }
}

/** Answers with an error in the form of a protocol. */
export type SendError = (error: AppError, request: FastifyRequest, reply: FastifyReply) => unknown;

/** Routes that come and go while the server runs. */
export interface ChangingRoutes {
  /** Whether the routes of a path are not there for the time being. */
  isHidden(path: string): boolean;
  /** The methods of a path that begins with a name of any kind; the routes for such paths are not looked at. */
  methodsOf(path: string): readonly string[];
}

/**
 * Tells an unknown path (404) from a known one with the wrong method (405, with `Allow`), and answers OPTIONS for a known
 * one. Registered before any route.
 */
export function answerUnknownRoutes(
  app: FastifyInstance,
  { maxHeaderBytes }: { maxHeaderBytes: number },
  { isHidden, methodsOf }: ChangingRoutes,
): void {
  const known = findMyWay({ maxParamLength: maxHeaderBytes });
  const methods = new Set<HTTPMethod>();

  app.addHook('onRoute', ({ method, url }) => {
    if (url.startsWith('/:')) return;
    for (const one of [method].flat() as HTTPMethod[]) {
      methods.add(one);
      if (known.findRoute(one, url) === null) known.on(one, url, () => undefined);
    }
  });

  app.decorate('methodsOf', (url: string) =>
    isHidden(url)
      ? []
      : [...new Set([...[...methods].filter((method) => known.find(method, url) !== null), ...methodsOf(url)])],
  );
  app.decorate('errorForms', new Map<string, SendError>());
  answerWhereNoRouteIs(app, sendProblem);
}

/**
 * Answers OPTIONS for a known path with its methods, and everything else that no route takes with an error, in the form
 * of the protocol whose routes these are.
 */
export function answerWhereNoRouteIs(app: FastifyInstance, usual: SendError): void {
  app.setNotFoundHandler((request, reply) => {
    const { method, url } = request;
    const send = app.errorForms.get(url.replace(/\?.*$/s, '')) ?? usual;
    const methods = app.methodsOf(url);
    if (methods.length === 0) {
      return send(new AppError('ROUTE_NOT_FOUND', { message: `There is no route ${method} ${url}` }), request, reply);
    }
    if (method === 'OPTIONS') {
      return reply
        .code(204)
        .header('allow', [...methods, 'OPTIONS'].join(', '))
        .send();
    }
    const message = `The route takes ${methods.join(', ')}, not ${method}`;
    reply.header('allow', methods.join(', '));
    return send(new AppError('METHOD_NOT_ALLOWED', { message, expected: methods }), request, reply);
  });
}
