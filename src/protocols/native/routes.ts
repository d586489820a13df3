import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { declareScope } from '../../http/admission/route-scope.ts';
import { predictionErrorCodes, problemResponses } from '../../http/answer/problem.ts';
import { sendPieces } from '../../http/answer/send-pieces.ts';
import { requireAcceptedMediaType } from '../../http/body/media-type.ts';
import { type Prediction, predictTensors } from '../../http/prediction/predict-tensors.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { Infer } from '../../serving/infer.ts';
import type { Nested } from '../../tensor/json/json-output.ts';
import type { JsonPieces } from '../../tensor/sliced-json/write-sliced-json.ts';
import { inTurns } from '../../timing/turns.ts';
import { parseExactJson } from '../exact-json-parser.ts';
import { isJsonObject, tensorsFromMembers } from '../named-inputs.ts';
import { writeSlicedOutputs } from './outputs.ts';
import { checkQuery, type PredictionQuery, predictionQuery, wantedOutputs } from './query.ts';

export const predictionPath = '/models/:name/predict';
export const versionPredictionPath = '/models/:name/versions/:version/predict';

const nested = z.record(z.string(), z.any());

/** As it was sent: a record would leave out `__proto__`, which is the name of no input and has to be refused. */
const members = z
  .unknown()
  .superRefine((value, context) => {
    if (isJsonObject(value)) return;
    context.addIssue({
      code: 'invalid_type',
      expected: 'object',
      message: 'expected an object with the inputs by name',
    });
  })
  .meta({ type: 'object', additionalProperties: {}, description: 'The inputs by name' });

const documentation = {
  tags: ['models'],
  description:
    'Takes the inputs of the model by name, as nested lists that include the batch, and gives its outputs by name. ' +
    'Every loaded model has a path of its own in this document, with its names, types and shapes.',
  headers: predictionHeaders,
  querystring: predictionQuery,
  body: { content: { 'application/json': { schema: members } } },
  response: {
    200: nested.describe('The outputs by name'),
    ...problemResponses(
      'MALFORMED_JSON',
      'MALFORMED_TENSOR',
      'VERSION_NOT_FOUND',
      'SIGNATURE_MISMATCH',
      ...predictionErrorCodes,
    ),
  },
};

/** `POST /models/{name}/predict` and `POST /models/{name}/versions/{version}/predict`: any model, without code. */
export async function nativeRoutes(app: FastifyInstance, { infer }: { infer: Infer }): Promise<void> {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  declareScope(app, 'infer');
  parseExactJson(app, 'application/json');
  app.addHook('preValidation', (request, _reply, done) => {
    requireAcceptedMediaType(request);
    done();
  });

  typed.post(predictionPath, {
    schema: { summary: 'Predict with any model', params: z.object({ name: z.string() }), ...documentation },
    handler: async (request, reply) => {
      const asked = prediction(request.params, request.query, request.body);
      return sendPieces(reply, await predictTensors(request, reply, infer, asked));
    },
  });

  typed.post(versionPredictionPath, {
    schema: {
      summary: 'Predict with one version of any model',
      params: z.object({ name: z.string(), version: z.string() }),
      ...documentation,
    },
    handler: async (request, reply) => {
      const asked = prediction(request.params, request.query, request.body);
      return sendPieces(reply, await predictTensors(request, reply, infer, asked));
    },
  });
}

function prediction(
  { name, version }: { name: string; version?: string },
  query: PredictionQuery,
  body: unknown,
): Prediction<Record<string, Nested<unknown>> | JsonPieces> {
  return {
    model: name,
    version,
    outputs: ({ signature }) => wantedOutputs(query.outputs, signature),
    encode: (model) => {
      checkQuery(query, model);
      return inTurns(tensorsFromMembers(body, model.signature, ['body']));
    },
    decode: (result) => inTurns(writeSlicedOutputs(result, query)),
  };
}
