import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ReadinessGate } from '../../serving/readiness.ts';
import { tellProblems } from '../admission/authorization.ts';
import { declareScope } from '../admission/route-scope.ts';

const alive = z.object({ live: z.literal(true) });
const readiness = z.object({
  ready: z.boolean(),
  problems: z
    .array(z.object({ model: z.string().optional(), version: z.string().optional(), reason: z.string() }))
    .describe('Which model is not ready, and why; with API keys, for those who have one'),
});

export interface HealthOptions {
  readonly readiness: ReadinessGate;
  /** Whether requests need an API key: why the server is not ready is for those that have one. */
  readonly needsKey: boolean;
}

/** `GET /health/live` and `GET /health/ready`. */
export function healthRoutes(app: FastifyInstance, { readiness: gate, needsKey }: HealthOptions): void {
  declareScope(app, 'open');
  const typed = app.withTypeProvider<ZodTypeProvider>();

  typed.get('/health/live', {
    schema: {
      tags: ['health'],
      summary: 'Is the process alive?',
      description: 'Never waits for a model.',
      response: { 200: alive.describe('The process is alive') },
    },
    handler: () => ({ live: true }) as const,
  });

  typed.get('/health/ready', {
    schema: {
      tags: ['health'],
      summary: 'Does the server want traffic?',
      response: {
        200: readiness.describe('Every model is ready'),
        503: readiness.describe('The server starts, stops, or has a model that is not ready'),
      },
    },
    handler: (request, reply) => {
      const { ready, problems } = gate.check();
      reply.code(ready ? 200 : 503);
      return { ready, problems: [...tellProblems(request, problems, needsKey)] };
    },
  });
}
