import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { LeasedFace, ModelFaces } from '../../faces/serving/model-faces.ts';
import { instancePrediction } from '../../faces/serving/predict-face.ts';
import { declareScope } from '../../http/admission/route-scope.ts';
import { fromThrown, prepareErrorReply } from '../../http/answer/error-handler.ts';
import { statusOfKind } from '../../http/answer/error-status.ts';
import { validationError } from '../../http/answer/zod-compilers.ts';
import { addBodyParser } from '../../http/body/body-parser.ts';
import { predictTensors } from '../../http/prediction/predict-tensors.ts';
import { routingOf } from '../../http/terms/call-terms.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { Infer } from '../../serving/infer.ts';
import { errorResponsesOf, type StatusOf, statusWithout422 } from '../error-responses.ts';
import { type HuggingFaceTask, huggingFaceTasks } from './tasks.ts';

export interface HuggingFaceRoutesOptions {
  readonly faces: ModelFaces;
  readonly infer: Infer;
}

const errorBody = z.object({ error: z.string() });
const statusOf: StatusOf = ({ kind }) => statusWithout422(kind);
const params = z.object({ name: z.string() });
const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'application/octet-stream'];

/**
 * `POST /{model}/hf`: `{"inputs", "parameters"}` as the Inference Endpoints of Hugging Face take them, with the answers of the
 * pipelines of transformers: https://huggingface.co/docs/inference-providers/tasks
 */
export async function huggingFaceRoutes(
  app: FastifyInstance,
  { faces, infer }: HuggingFaceRoutesOptions,
): Promise<void> {
  declareScope(app, 'infer');
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromThrown(thrown, request);
    prepareErrorReply(error, request, reply);
    const message = statusOfKind[error.kind] === 500 ? error.title : error.message;
    return reply.code(statusOf(error)).send({ error: message } satisfies z.input<typeof errorBody>);
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const { leased } = taskOf(faces, request);
    leased.lease.release();
    done();
  });
  addBodyParser(app, pictureTypes, (body) => body);
  app.withTypeProvider<ZodTypeProvider>().post('/:name/hf', {
    schema: {
      tags: ['hugging face'],
      summary: 'Predict as the Inference Endpoints of Hugging Face do',
      description:
        'Takes `{"inputs", "parameters"}`, or a picture as the body, and answers with the key names of the pipelines.',
      params,
      headers: predictionHeaders,
      response: {
        200: z.any().describe('As the pipeline of the task answers'),
        ...errorResponsesOf(errorBody, statusOf)(
          'MALFORMED_JSON',
          'VALIDATION_FAILED',
          'ROUTE_NOT_FOUND',
          'QUEUE_FULL',
          'INTERNAL',
        ),
      },
    },
    handler: async (request, reply) => {
      const { leased, task } = taskOf(faces, request);
      const { call, instances } = readCall(leased, task, request.body);
      const results = await predictTensors(request, reply, infer, instancePrediction(leased, instances, call.options));
      return call.write(results);
    },
  });
}

function readCall(leased: LeasedFace, { request: schema }: HuggingFaceTask, body: unknown) {
  try {
    const read = schema.safeParse(Buffer.isBuffer(body) ? { inputs: body } : body, { reportInput: true });
    if (!read.success) throw validationError(read.error, ['body']);
    const { input } = leased.face.domain;
    const instances = read.data.instances.map((instance) => {
      // A picture as the body is one already.
      if (Buffer.isBuffer(body)) return instance;
      const validated = input.safeParse(instance, { reportInput: true });
      if (!validated.success) throw validationError(validated.error, ['body', 'inputs']);
      return validated.data;
    });
    return { call: read.data, instances };
  } catch (thrown) {
    leased.lease.release();
    throw thrown;
  }
}

/** @throws AppError `ROUTE_NOT_FOUND` for a model without a face that is a task */
function taskOf(
  faces: ModelFaces,
  request: FastifyRequest,
): { readonly leased: LeasedFace; readonly task: HuggingFaceTask } {
  const { name } = request.params as z.output<typeof params>;
  const leased = faces.lease(name, undefined, routingOf(request));
  const task = huggingFaceTasks.get(leased.face.kind);
  if (task !== undefined) return { leased, task };
  leased.lease.release();
  throw new AppError('ROUTE_NOT_FOUND', {
    message: `The face of ${name} is ${leased.face.kind}, which is no task of a pipeline; POST /${name}/predict takes its requests`,
  });
}
