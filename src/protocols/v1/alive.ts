import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

/**
 * `GET /`, which the clients of KServe V1 take for the liveness of the server:
 * https://kserve.github.io/website (V1 protocol).
 */
export async function aliveRoute(app: FastifyInstance): Promise<void> {
  app.withTypeProvider<ZodTypeProvider>().get('/', {
    config: { scope: 'open' },
    schema: {
      tags: ['v1'],
      summary: 'Is the server alive? As KServe V1 asks',
      response: { 200: z.object({ status: z.literal('alive') }).describe('It is') },
    },
    handler: () => ({ status: 'alive' }) as const,
  });
}
