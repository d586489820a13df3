import type { FastifyInstance } from 'fastify';
import { maySeeModel, tellProblems } from '../../../http/admission/authorization.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import type { ReadinessGate } from '../../../serving/readiness.ts';
import { serverMetadata } from '../values/server-metadata.ts';
import * as schemas from './schemas.ts';

export interface ServerRoutesOptions {
  readonly registry: Registry;
  readonly readiness: ReadinessGate;
  /** Version of the program. */
  readonly version: string;
  /** Whether requests need an API key. */
  readonly needsKey: boolean;
}

/** `GET /v2`, `/v2/models`, `/v2/health/live` and `/v2/health/ready`. */
export function serverRoutes(
  app: FastifyInstance,
  { registry, readiness, version, needsKey }: ServerRoutesOptions,
): void {
  const tags = ['open-inference'];

  app.get('', {
    config: { filtersModels: true },
    schema: {
      tags,
      summary: 'The server and the extensions of the protocol that it has',
      response: { 200: schemas.serverMetadata.describe('The server') },
    },
    handler: () => serverMetadata(version),
  });

  app.get('/models', {
    config: { filtersModels: true },
    schema: {
      tags,
      summary: 'Names of the models',
      response: { 200: schemas.modelNames.describe('Every loaded model') },
    },
    handler: (request) => ({
      models: registry
        .list()
        .map(({ name }) => name)
        .filter((name) => maySeeModel(request, name)),
    }),
  });

  app.get('/health/live', {
    config: { scope: 'open' },
    schema: { tags, summary: 'Is the server alive?', response: { 200: schemas.live.describe('It is') } },
    handler: () => ({ live: true }),
  });

  app.get('/health/ready', {
    config: { scope: 'open' },
    schema: {
      tags,
      summary: 'Are all models ready?',
      response: {
        200: schemas.ready.describe('They are'),
        503: schemas.ready.describe('They are not, or the server is stopping'),
      },
    },
    handler: (request, reply) => {
      const { ready, problems } = readiness.check();
      if (ready) return { ready, live: true };
      reply.code(503);
      const told = tellProblems(request, problems, needsKey);
      const reasons = told.map(({ model, reason }) => (model === undefined ? reason : `${model}: ${reason}`));
      return { ready, live: true, error: reasons.join('; ') };
    },
  });
}
