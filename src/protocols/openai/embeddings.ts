import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { leaseFaceOfKind } from '../../faces/choose-face.ts';
import type { ModelFaces } from '../../faces/model-faces.ts';
import { instancePrediction } from '../../faces/predict-face.ts';
import { maySeeModel } from '../../http/admission/authorization.ts';
import { declareScope } from '../../http/admission/route-scope.ts';
import { predictTensors } from '../../http/prediction/predict-tensors.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { Infer } from '../../serving/infer.ts';
import { answerErrors, errorResponses } from './error-body.ts';

/** As many as OpenAI takes. */
const mostInputs = 2048;

const text = z.string();
const ids = z.array(z.int().min(0)).min(1);

const Request = z.object({
  input: z
    .union([text, z.array(text).min(1).max(mostInputs), ids, z.array(ids).min(1).max(mostInputs)], {
      error: `expected a text, or a list of at most ${mostInputs} texts, or token ids, or a list of lists of token ids`,
    })
    .describe('A text, texts, the token ids of a text without special ones, or those of several'),
  model: z.string().optional().describe('Absent: the only model that embeds'),
  encoding_format: z.enum(['float', 'base64']).default('float').describe('base64: of FP32, little-endian'),
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
  answerErrors(app);
  app.withTypeProvider<ZodTypeProvider>().post('/v1/embeddings', {
    config: { filtersModels: true },
    schema: {
      tags: ['openai'],
      summary: 'Vectors for texts, as OpenAI has them',
      headers: predictionHeaders,
      body: Request.meta({ examples: [{ input: 'The quick brown fox' }] }),
      response: {
        200: Answer.describe('The vectors, in the order of the texts'),
        ...errorResponses(
          'MALFORMED_JSON',
          'VALIDATION_FAILED',
          'FACE_NOT_FOUND',
          'ROUTE_NOT_FOUND',
          'QUEUE_FULL',
          'INTERNAL',
        ),
      },
    },
    handler: async (request, reply) => {
      const { input, model, encoding_format: format, dimensions } = request.body;
      const mayUse = (name: string) => maySeeModel(request, name);
      const leased = leaseFaceOfKind(faces, { kind: 'embedding', model, mayUse });
      const instances = instancesOf(input);
      const options = dimensions === undefined ? {} : { dimensions };
      const prediction = instancePrediction(leased, instances, options);
      const results = (await predictTensors(request, reply, infer, prediction)).map((result) => Result.parse(result));
      const tokens = results.reduce((sum, result) => sum + result.tokens, 0);
      return {
        object: 'list' as const,
        data: results.map(({ embedding }, index) => ({
          object: 'embedding' as const,
          index,
          embedding: format === 'base64' ? base64Of(embedding) : embedding,
        })),
        model: leased.face.domain.name,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      };
    },
  });
}

function instancesOf(input: z.output<typeof Request>['input']): readonly object[] {
  if (typeof input === 'string') return [{ text: input }];
  const [first] = input;
  if (typeof first === 'number') return [{ ids: input }];
  return input.map((one) => (typeof one === 'string' ? { text: one } : { ids: one }));
}

function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
