import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faceOfKindErrorCodes, leaseFaceOfKind } from '../../faces/serving/choose-face.ts';
import type { ModelFaces } from '../../faces/serving/model-faces.ts';
import { instancePrediction } from '../../faces/serving/predict-face.ts';
import { maySeeModel } from '../../http/admission/authorization.ts';
import { declareScope } from '../../http/admission/route-scope.ts';
import { sendPieces } from '../../http/answer/send-pieces.ts';
import { predictTensors } from '../../http/prediction/predict-tensors.ts';
import { routingOf } from '../../http/terms/call-terms.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { Infer } from '../../serving/infer.ts';
import { listPieces } from '../../tensor/sliced-json/list-pieces.ts';
import type { JsonPieces } from '../../tensor/sliced-json/write-sliced-json.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { inTurns } from '../../timing/turns.ts';
import { atInput, EmbeddingInputs, instancesOf } from './embedding-input.ts';
import { answerErrors, errorResponses } from './error-body.ts';

const path = '/v1/embeddings';

const manyVectors = 16;

const Format = z.enum(['float', 'base64']);
type Format = z.output<typeof Format>;

const Request = z.object({
  input: EmbeddingInputs,
  model: z.string().optional().describe('Absent: the only model that embeds'),
  encoding_format: Format.default('float').describe('base64: of FP32, little-endian'),
  dimensions: z.int().min(1).optional().describe('Cuts the vectors'),
  user: z.string().optional().describe('Ignored'),
});

const Answer = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({ object: z.literal('embedding'), index: z.int(), embedding: z.union([z.array(z.number()), z.string()]) }),
  ),
  model: z.string(),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
});

/** A result of the face, as far as it is needed. */
const Result = z.object({ embedding: z.array(z.number()), tokens: z.int() });

export interface EmbeddingRoutesOptions {
  readonly faces: ModelFaces;
  readonly infer: Infer;
}

/** `POST /v1/embeddings` as OpenAI has it: https://platform.openai.com/docs/api-reference/embeddings. */
export async function embeddingRoutes(app: FastifyInstance, { faces, infer }: EmbeddingRoutesOptions): Promise<void> {
  declareScope(app, 'infer');
  answerErrors(app, [path]);
  app.withTypeProvider<ZodTypeProvider>().post(path, {
    config: { filtersModels: true },
    schema: {
      tags: ['openai'],
      summary: 'Vectors for texts, as OpenAI has them',
      headers: predictionHeaders,
      body: Request.meta({ examples: [{ input: 'The quick brown fox' }] }),
      response: {
        200: Answer.describe('The vectors, in the order of the texts'),
        ...errorResponses(...faceOfKindErrorCodes),
      },
    },
    handler: async (request, reply) => {
      const { input, model, encoding_format: format, dimensions } = request.body;
      const mayUse = (name: string) => maySeeModel(request, name);
      const leased = leaseFaceOfKind(faces, { kind: 'embedding', model, mayUse, routing: routingOf(request) });
      const instances = instancesOf(input);
      const options = dimensions === undefined ? {} : { dimensions };
      const prediction = instancePrediction(leased, instances, options);
      const results = await predictTensors(request, reply, infer, prediction).catch((thrown: unknown) => {
        throw atInput(thrown, input);
      });
      return sendPieces(reply, await inTurns(answerOf(results, { model: leased.face.domain.name, format })));
    },
  });
}

/** In pieces where vectors are many: a thousand of them take a tenth of a second to be read and written. */
function* answerOf(
  results: readonly unknown[],
  { model, format }: { readonly model: string; readonly format: Format },
): SlicedWork<z.output<typeof Answer> | JsonPieces> {
  const data: z.output<typeof Answer>['data'] = [];
  let tokens = 0;
  for (const [index, result] of results.entries()) {
    const { embedding, tokens: own } = Result.parse(result);
    tokens += own;
    data.push({ object: 'embedding', index, embedding: format === 'base64' ? base64Of(embedding) : embedding });
    yield;
  }
  const others = { object: 'list' as const, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
  if (data.length < manyVectors) return { object: others.object, data, model, usage: others.usage };
  return yield* listPieces(others, 'data', data);
}

function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (let index = 0; index < vector.length; index++) bytes.writeFloatLE(vector[index] ?? 0, index * 4);
  return bytes.toString('base64');
}
