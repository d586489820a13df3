import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Scope } from '../../access/scope.ts';

/** `open` to every caller, `docs` to every caller unless a setting closes them, or for keys with a scope. */
export type RouteScope = Scope | 'open' | 'docs';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route when there are API keys; a route that does not say refuses every caller then. */
    scope?: RouteScope;
    /** Model that the route is about, for keys that may use some models only. @default the parameter `name` of the path */
    model?: string | ((request: FastifyRequest) => string | undefined);
    /** The answer leaves out the models that the key may not use, so that every key may ask. */
    filtersModels?: boolean;
  }
}

/** Declares the scope, and perhaps the model, of every route that is registered here later and declares none itself. */
export function declareScope(app: FastifyInstance, scope: RouteScope, model?: string): void {
  app.addHook('onRoute', (route) => {
    route.config = { scope, ...(model !== undefined && { model }), ...route.config };
  });
}

/** The model that a request is about; undefined if it is about none, or about all. */
export function modelOfRequest(request: FastifyRequest): string | undefined {
  const { model } = request.routeOptions.config;
  if (typeof model === 'string') return model;
  if (model !== undefined) return model(request);
  const { name } = (request.params ?? {}) as { name?: unknown };
  return typeof name === 'string' ? name : undefined;
}
