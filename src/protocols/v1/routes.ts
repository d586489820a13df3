import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { maySeeModel } from '../../http/admission/authorization.ts';
import { declareScope } from '../../http/admission/route-scope.ts';
import { sendPieces } from '../../http/answer/send-pieces.ts';
import { predictTensors } from '../../http/prediction/predict-tensors.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { Registry } from '../../models/registry/registry.ts';
import type { Infer } from '../../serving/infer.ts';
import { parseExactJson } from '../exact-json-parser.ts';
import { answerErrors, errorResponses } from './error-body.ts';
import { metadataOf } from './metadata.ts';
import { readPrediction } from './predict.ts';
import { selectedVersion } from './selector.ts';
import { statusOf, statusSchema } from './status.ts';

const modelList = z.object({
  models: z.array(z.string()),
  object: z.literal('list'),
  data: z.array(
    z.object({
      id: z.string(),
      object: z.literal('model'),
      created: z.int().describe('Seconds since 1970'),
      owned_by: z.string(),
    }),
  ),
});

export interface V1RoutesOptions {
  readonly registry: Registry;
  readonly infer: Infer;
}

// Without a pattern a parameter would take the literal colon of ":predict" as well.
const name = '/models/:name(^[^:/]+)';

/** A model by itself, by a version, and by a label of a version. */
const selectors = [
  { path: name, params: z.object({ name: z.string() }), which: 'a model' },
  {
    path: `${name}/versions/:version(^[^:/]+)`,
    params: z.object({ name: z.string(), version: z.string() }),
    which: 'one version of a model',
  },
  {
    path: `${name}/labels/:label(^[^:/]+)`,
    params: z.object({ name: z.string(), label: z.string() }),
    which: 'the version with a label of versionLabels in model.json',
  },
];

const unsupported = ['classify', 'regress', 'explain'];

const unknown = ['MODEL_NOT_FOUND', 'VERSION_NOT_FOUND'] as const;

/** V1 of TensorFlow Serving and of KServe, as one, to be registered under `/v1`: https://www.tensorflow.org/tfx/serving/api_rest. */
export async function v1Routes(app: FastifyInstance, { registry, infer }: V1RoutesOptions): Promise<void> {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  // OpenAI's clients want a time; when a model was made is not known.
  const startedAtSeconds = Math.floor(Date.now() / 1000);
  declareScope(app, 'infer');
  parseExactJson(app, '*');
  answerErrors(app);

  typed.get('/models', {
    config: { filtersModels: true },
    schema: {
      tags: ['v1'],
      summary: 'Names of the models',
      description: '`models` is for clients of KServe, `data` for those of OpenAI.',
      response: { 200: modelList.describe('The names') },
    },
    handler: (request) => {
      const models = registry
        .list()
        .map(({ name }) => name)
        .filter((name) => maySeeModel(request, name));
      const data = models.map((id) => ({
        id,
        object: 'model' as const,
        created: startedAtSeconds,
        owned_by: 'inferd',
      }));
      return { models, object: 'list' as const, data };
    },
  });

  for (const { path, params, which } of selectors) {
    typed.get(path, {
      schema: {
        tags: ['v1'],
        summary: `Status of ${which}`,
        params,
        response: {
          200: statusSchema.describe('Ready'),
          503: statusSchema.describe('Not ready, and why'),
          ...errorResponses(...unknown),
        },
      },
      handler: (request, reply) => {
        const status = statusOf(registry, request.params);
        reply.code(status.ready ? 200 : 503);
        return status;
      },
    });

    typed.get(`${path}/metadata`, {
      schema: {
        tags: ['v1'],
        summary: `Signature of ${which}`,
        params,
        response: {
          200: z.record(z.string(), z.any()).describe('Inputs and outputs as TensorFlow describes them'),
          ...errorResponses(...unknown, 'MODEL_NOT_READY'),
        },
      },
      handler: (request) => {
        const lease = registry.acquire(request.params.name, selectedVersion(registry, request.params));
        try {
          return metadataOf(lease, lease.predictor.signature);
        } finally {
          lease.release();
        }
      },
    });

    typed.post(`${path}::predict`, {
      schema: {
        tags: ['v1'],
        summary: `Predict with ${which}`,
        description:
          '`instances` has a value for each row and gives `predictions`; `inputs` has a tensor for each input and gives ' +
          '`outputs`. With several inputs or outputs, values and tensors stand under their names. ' +
          'The content type does not matter. The example is for the model iris.',
        params,
        headers: predictionHeaders,
        body: z.any().meta(predictionBody),
        response: {
          200: z.record(z.string(), z.any()).describe('`predictions` or `outputs`'),
          ...errorResponses(
            'MALFORMED_JSON',
            'MALFORMED_TENSOR',
            'VALIDATION_FAILED',
            ...unknown,
            'BODY_TOO_LARGE',
            'INTERNAL',
            'MODEL_NOT_READY',
            'QUEUE_FULL',
            'DEADLINE_EXCEEDED',
          ),
        },
      },
      handler: async (request, reply) => {
        const version = selectedVersion(registry, request.params);
        const asked = { model: request.params.name, version, ...readPrediction(request.body) };
        return sendPieces(reply, await predictTensors(request, reply, infer, asked));
      },
    });

    for (const verb of unsupported) {
      typed.post(`${path}::${verb}`, { schema: { hide: true } }, () => {
        throw new AppError('NOT_IMPLEMENTED', { message: `:${verb} is not supported; use :predict` });
      });
    }
  }
}

const predictionBody = {
  type: 'object' as const,
  properties: {
    signature_name: { type: 'string' as const, description: 'serving_default, or absent' },
    instances: { type: 'array' as const, items: {}, description: 'A value for each row' },
    inputs: { description: 'A tensor for each input' },
  },
  examples: [{ instances: [[5.1, 3.5, 1.4, 0.2]] }],
};
