import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { leaseFaceOfKind } from '../../faces/serving/choose-face.ts';
import type { ModelFaces } from '../../faces/serving/model-faces.ts';
import { instancePrediction } from '../../faces/serving/predict-face.ts';
import { maySeeModel } from '../../http/admission/authorization.ts';
import { declareScope } from '../../http/admission/route-scope.ts';
import { fromThrown, prepareErrorReply } from '../../http/answer/error-handler.ts';
import { statusOfKind } from '../../http/answer/error-status.ts';
import { predictTensors } from '../../http/prediction/predict-tensors.ts';
import { routingOf } from '../../http/terms/call-terms.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import type { Infer } from '../../serving/infer.ts';
import { errorResponsesOf, type StatusOf } from '../error-responses.ts';

const mostTexts = 1000;

const EmbedRequest = z.object({
  inputs: z.union([z.string(), z.array(z.string()).min(1).max(mostTexts)]),
  normalize: z.boolean().default(true),
  truncate: z.boolean().default(false).describe('Cut texts with too many tokens; else they are refused'),
  prompt_name: z.string().optional(),
  dimensions: z.int().min(1).optional(),
});

const RerankRequest = z.object({
  query: z.string(),
  texts: z.array(z.string()).min(1).max(mostTexts),
  raw_scores: z.boolean().default(false),
  return_text: z.boolean().default(false),
  truncate: z.boolean().default(false).describe('Cut texts with too many tokens; else they are refused'),
});

const Embedded = z.object({ embedding: z.array(z.number()) });
const Ranked = z.object({ results: z.array(z.object({ index: z.int(), relevance_score: z.number() })) });

const errorBody = z.object({ error: z.string(), error_type: z.string() });
/** Source: `ErrorType` of text-embeddings-inference. */
const errorTypes: Readonly<Record<string, string>> = {
  invalid: 'Validation',
  malformed: 'Validation',
  overloaded: 'Overloaded',
};
const statusOf: StatusOf = ({ kind }) => (kind === 'malformed' ? 422 : statusOfKind[kind]);
const errorResponses = errorResponsesOf(errorBody, statusOf)(
  'VALIDATION_FAILED',
  'TEXT_TOO_LONG',
  'ROUTE_NOT_FOUND',
  'QUEUE_FULL',
  'INTERNAL',
);

export interface TeiRoutesOptions {
  readonly faces: ModelFaces;
  readonly infer: Infer;
}

/** `POST /embed` and `POST /rerank` as Text Embeddings Inference has them: https://huggingface.github.io/text-embeddings-inference */
export async function teiRoutes(app: FastifyInstance, { faces, infer }: TeiRoutesOptions): Promise<void> {
  declareScope(app, 'infer');
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromThrown(thrown, request);
    prepareErrorReply(error, request, reply);
    const message = statusOfKind[error.kind] === 500 ? error.title : error.message;
    const body = { error: message, error_type: errorTypes[error.kind] ?? 'Backend' } satisfies z.input<
      typeof errorBody
    >;
    return reply.code(statusOf(error)).send(body);
  });
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const only = (kind: string, request: FastifyRequest) =>
    leaseFaceOfKind(faces, {
      kind,
      model: undefined,
      mayUse: (name) => maySeeModel(request, name),
      routing: routingOf(request),
    });

  typed.post('/embed', {
    config: { filtersModels: true },
    schema: {
      tags: ['tei'],
      summary: 'Vectors for texts, as Text Embeddings Inference has them',
      headers: predictionHeaders,
      body: EmbedRequest,
      response: { 200: z.array(z.array(z.number())).describe('A vector for each text'), ...errorResponses },
    },
    handler: async (request, reply) => {
      const { inputs, normalize, truncate, prompt_name: prompt, dimensions } = request.body;
      const leased = only('embedding', request);
      const texts = [inputs].flat();
      const options = {
        normalize,
        too_long: truncate ? 'truncate' : 'error',
        ...(dimensions !== undefined && { dimensions }),
      };
      const instances = texts.map((text) => ({ text, ...(prompt !== undefined && { prompt }) }));
      const results = await predictTensors(request, reply, infer, instancePrediction(leased, instances, options));
      return results.map((result) => Embedded.parse(result).embedding);
    },
  });

  typed.post('/rerank', {
    config: { filtersModels: true },
    schema: {
      tags: ['tei'],
      summary: 'How well texts answer a query, as Text Embeddings Inference has it',
      headers: predictionHeaders,
      body: RerankRequest,
      response: {
        200: z
          .array(z.object({ index: z.int(), score: z.number(), text: z.string().optional() }))
          .describe('The best first'),
        ...errorResponses,
      },
    },
    handler: async (request, reply) => {
      const { query, texts, raw_scores, return_text: returns, truncate } = request.body;
      const leased = only('reranking', request);
      const instance = { query, documents: texts, return_documents: false, raw_scores };
      const prediction = instancePrediction(leased, [instance], { too_long: truncate ? 'truncate' : 'error' });
      const [first] = await predictTensors(request, reply, infer, prediction);
      return Ranked.parse(first).results.map(({ index, relevance_score: score }) => ({
        index,
        score,
        ...(returns && { text: texts[index] ?? '' }),
      }));
    },
  });
}
