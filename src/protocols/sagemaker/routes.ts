import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { declareScope } from '../../http/admission/route-scope.ts';
import { type DefaultChoice, defaultModel, defaultModelName } from '../../http/routes/default-prediction.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { ReadinessGate } from '../../serving/readiness.ts';
import { answerErrors, errorResponses } from './error-body.ts';
import { type InvokeDependencies, invocationSchema, invoke, takeBytes } from './invoke.ts';

export interface SageMakerOptions extends InvokeDependencies {
  readonly choice: DefaultChoice;
  readonly readiness: ReadinessGate;
  /** Version of the program. */
  readonly version: string;
  readonly bodyLimitBytes: number;
}

/** Requests that SageMaker may send at once for each runner: enough that batches fill. */
const transformsPerRunner = 8;
/** The most that SageMaker sends in one request of a batch transform. */
const maxPayloadMb = 100;

const tags = ['sagemaker'];

const text = { content: { 'text/plain': { schema: z.string() } } };

/**
 * What SageMaker asks of a container, and the scoring server of MLflow, which has the same `/invocations`:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html.
 */
export async function sageMakerRoutes(app: FastifyInstance, options: SageMakerOptions): Promise<void> {
  const { choice, readiness, version, bodyLimitBytes } = options;
  // The schemas document. What arrives is checked where it is read.
  app.setValidatorCompiler(() => () => true);
  declareScope(app, 'infer');
  takeBytes(app);
  answerErrors(app);

  for (const [path, summary, body] of [
    ['/ping', 'Does the container of SageMaker want traffic?', ''],
    ['/health', 'Does the scoring server of MLflow want traffic?', '\n'],
  ] as const) {
    app.get(path, {
      config: { scope: 'open' },
      schema: {
        tags,
        summary,
        response: { 200: { description: 'Every model is ready', ...text }, 503: { description: 'Not ready', ...text } },
      },
      handler: (_request, reply) =>
        reply
          .code(readiness.check().ready ? 200 : 503)
          .header('content-type', 'text/plain')
          .send(Buffer.from(body)),
    });
  }

  app.get('/version', {
    config: { filtersModels: true },
    schema: {
      tags,
      summary: 'Version of inferd, where MLflow tells its own',
      response: { 200: { description: 'The version', ...text } },
    },
    // MLflow calls this bare text JSON, which it is not.
    handler: (_request, reply) => reply.header('content-type', 'text/plain').send(Buffer.from(version)),
  });

  app.get('/execution-parameters', {
    config: { model: () => defaultModelName(choice) },
    schema: {
      tags,
      summary: 'How SageMaker should send the requests of a batch transform',
      response: {
        200: z.object({
          MaxConcurrentTransforms: z.int(),
          BatchStrategy: z.literal('MULTI_RECORD'),
          MaxPayloadInMB: z.int(),
        }),
        ...errorResponses('MODEL_NOT_FOUND'),
      },
    },
    handler: () => {
      const { registry } = choice;
      const [loaded] = registry.get(defaultModel(choice)).versions;
      return {
        MaxConcurrentTransforms: transformsPerRunner * (loaded?.manifest.instances ?? 1),
        BatchStrategy: 'MULTI_RECORD',
        MaxPayloadInMB: Math.max(1, Math.min(maxPayloadMb, Math.floor(bodyLimitBytes / 2 ** 20))),
      };
    },
  });

  app.post('/invocations', {
    config: { model: () => defaultModelName(choice) },
    schema: {
      tags,
      summary: 'Predict with the default model, as SageMaker, MLflow and Vertex AI ask',
      description:
        'The media type and the members of the body tell its format. The answer has `predictions`, one for each row; ' +
        'a request of the Open Inference Protocol is answered in its own form. The examples are for the model iris.',
      headers: predictionHeaders,
      ...invocationSchema,
    },
    handler: (request, reply) => invoke(request, reply, defaultModel(choice), options),
  });
}
