import type { FastifyInstance } from 'fastify';

/**
 * Takes a DELETE without a body for what it is, whatever media type it names: many clients name the type of JSON in every
 * request, and Fastify would refuse the empty body that it then expects.
 */
export function ignoreTypeOfNoBody(app: FastifyInstance): void {
  app.addHook('onRequest', ({ method, headers }, _reply, done) => {
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (method === 'DELETE' && !hasBody) delete headers['content-type'];
    done();
  });
}
