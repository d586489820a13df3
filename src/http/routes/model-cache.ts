import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Registry } from '../../models/registry/registry.ts';
import { declareScope } from '../admission/route-scope.ts';
import { problemResponses } from '../answer/problem.ts';

const cleared = z.object({
  entries: z.int().describe('Answers that this server had in memory'),
  shared_entries: z.int().describe('Answers that servers shared in Redis'),
});

/** `DELETE /models/{name}/cache`: forgets the answers that are kept of a model, or of one version of it. */
export function modelCacheRoute(app: FastifyInstance, { registry }: { readonly registry: Registry }): void {
  declareScope(app, 'admin');
  app.withTypeProvider<ZodTypeProvider>().delete('/models/:name/cache', {
    schema: {
      tags: ['models'],
      summary: 'Forget the answers that are kept of a model',
      params: z.object({ name: z.string() }),
      querystring: z.object({ version: z.string().optional().describe('This version alone') }),
      response: {
        200: cleared.describe('How many answers there were; none where the model has no cache'),
        ...problemResponses('MODEL_NOT_FOUND', 'VERSION_NOT_FOUND'),
      },
    },
    handler: async ({ params: { name }, query: { version } }) => {
      const versions = version === undefined ? registry.get(name).versions : [registry.getVersion(name, version)];
      const counts = await Promise.all(versions.map(({ cache }) => cache?.clear()));
      return {
        entries: counts.reduce((sum, count) => sum + (count?.entries ?? 0), 0),
        shared_entries: counts.reduce((sum, count) => sum + (count?.shared ?? 0), 0),
      };
    },
  });
}
