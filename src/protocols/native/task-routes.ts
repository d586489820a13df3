import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { declareScope } from '../../http/admission/route-scope.ts';
import { problemResponses } from '../../http/answer/problem.ts';
import { addBodyParser } from '../../http/body/body-parser.ts';
import { requireAcceptedMediaType } from '../../http/body/media-type.ts';
import type { TaskDesk } from '../../http/prediction/task-desk.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { readExactJsonBody } from '../exact-json-parser.ts';
import { checkOrder, type ModelOrder, modelWorkName } from './deferred.ts';
import { predictionQuery } from './query.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, where a route keeps it. */
    receivedBody: Buffer | undefined;
  }
}

/** `POST /models/{name}/tasks`: what the predict route of the model would do, later. */
export function nativeTaskRoutes(
  app: FastifyInstance,
  { desk, registry }: { desk: TaskDesk; registry: Registry },
): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  declareScope(app, 'infer');
  keepBodies(app);
  app.addHook('preValidation', (request, _reply, done) => {
    requireAcceptedMediaType(request);
    done();
  });

  typed.post('/models/:name/tasks', {
    schema: {
      tags: ['tasks'],
      summary: 'Predict with any model in the background',
      description: 'Takes what the predict route of the model takes, and answers where the result will be.',
      params: z.object({ name: z.string() }),
      headers: desk.headers,
      querystring: predictionQuery.extend(desk.query.shape),
      body: {
        content: { 'application/json': { schema: z.record(z.string(), z.any()).describe('The inputs by name') } },
      },
      response: {
        ...problemResponses('MODEL_NOT_FOUND', 'SIGNATURE_MISMATCH', 'MALFORMED_TENSOR', 'MODEL_NOT_READY'),
        ...desk.responses,
      },
    },
    handler: async (request, reply) => {
      const { name: model } = request.params;
      const { outputs, top, labels } = request.query;
      const query = { outputs, top, labels };
      await checkOrder(registry, model, request.body, query);
      const input: ModelOrder = { model, body: request.receivedBody ?? Buffer.alloc(0), query };
      return desk.accept(request, reply, { work: modelWorkName, model, input, instances: 1 });
    },
  });
}

function keepBodies(app: FastifyInstance): void {
  app.decorateRequest('receivedBody', undefined);
  app.removeAllContentTypeParsers();
  addBodyParser(app, 'application/json', (body, request) => {
    request.receivedBody = body;
    return readExactJsonBody(body, request.server.bodyLimits.jsonLimitBytes);
  });
}
