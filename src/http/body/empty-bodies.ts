import type { FastifyInstance, onRequestHookHandler } from 'fastify';

/**
 * Takes a DELETE without a body for what it is, whatever media type it names: many clients name the type of JSON in every
 * request, and Fastify would refuse the empty body that it then expects. Registered before any route.
 */
export function ignoreTypeOfNoBody(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (![route.method].flat().includes('DELETE')) return;
    route.onRequest = [ignoreType, ...[route.onRequest ?? []].flat()];
  });
}

const ignoreType: onRequestHookHandler = ({ headers }, _reply, done) => {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) delete headers['content-type'];
  done();
};
