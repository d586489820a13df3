import type { FastifyInstance, RouteOptions } from 'fastify';

const name = 'domain';
const served = 'served';

type Strategy = Parameters<FastifyInstance['addConstraintStrategy']>[0];
type Handler = Parameters<ReturnType<Strategy['storage']>['set']>[1];

/**
 * Keeps the routes of a domain that comes along from those paths for which another has them: then the model of that name
 * does not fit the domain, and has a face of its own.
 *
 * @param isOfOthers whether a path of such a domain is that of a face
 */
export function domainConstraint(isOfOthers: (path: string) => boolean): Strategy {
  return {
    name,
    storage: () => {
      const handlers = new Map<unknown, Handler>();
      return {
        get: (value) => handlers.get(value) ?? null,
        set: (value, handler) => void handlers.set(value, handler),
      };
    },
    deriveConstraint: ({ url = '' }) => (isOfOthers(url) ? undefined : served),
  };
}

/** For the hook `onRoute`: the route is one of a domain that others may take the place of. */
export function constrainToDomain(route: RouteOptions): void {
  route.constraints = { ...route.constraints, [name]: served };
}
