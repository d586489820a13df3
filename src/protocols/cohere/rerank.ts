import { randomUUID } from 'node:crypto';
import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AppError } from '../../errors.ts';
import { faceOfKindErrorCodes, leaseFaceOfKind } from '../../faces/serving/choose-face.ts';
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
import { errorResponsesOf, type StatusOf, statusWithout422 } from '../error-responses.ts';

const mostDocuments = 1000;

const document = z.union([z.string(), z.object({ text: z.string() })]);

const Request = z.object({
  model: z.string().optional().describe('Absent: the only model that reranks'),
  query: z.string(),
  documents: z.array(document).min(1).max(mostDocuments).describe('Texts, or objects with a text'),
  top_n: z.int().min(1).optional().describe('Most results; absent: all'),
  return_documents: z.boolean().default(false),
  max_tokens_per_doc: z.int().min(1).optional().describe('Tokens that are read of a document; absent: as many as fit'),
});

const Answer = z.object({
  id: z.string(),
  model: z.string(),
  results: z.array(
    z.object({
      index: z.int(),
      relevance_score: z.number(),
      document: z.object({ text: z.string() }).optional(),
    }),
  ),
  meta: z.object({ billed_units: z.object({ search_units: z.int() }), tokens: z.object({ input_tokens: z.int() }) }),
  usage: z.object({ total_tokens: z.int() }),
});

/** A result of the face, as far as it is needed. */
const Result = z.object({
  results: z.array(z.object({ index: z.int(), relevance_score: z.number() })),
  tokens: z.int(),
});

const errorBody = z.object({ message: z.string() });
const statusOf: StatusOf = ({ kind }) => statusWithout422(kind);
const errorResponses = errorResponsesOf(errorBody, statusOf);

export interface RerankRoutesOptions {
  readonly faces: ModelFaces;
  readonly infer: Infer;
}

/** `POST /v1/rerank` and `POST /v2/rerank` as Cohere has them, and Jina: https://docs.cohere.com/reference/rerank. */
export async function rerankRoutes(app: FastifyInstance, { faces, infer }: RerankRoutesOptions): Promise<void> {
  declareScope(app, 'infer');
  app.setErrorHandler((thrown, request, reply) => sendError(fromThrown(thrown, request), request, reply));
  for (const path of ['/v1/rerank', '/v2/rerank']) {
    app.errorForms.set(path, sendError);
    app.withTypeProvider<ZodTypeProvider>().post(path, {
      config: { filtersModels: true },
      schema: {
        tags: ['cohere'],
        summary: 'How well documents answer a query, as Cohere and Jina have it',
        headers: predictionHeaders,
        body: Request.meta({
          examples: [{ query: 'What does the fox do?', documents: ['The fox jumps.', 'A cat sleeps.'] }],
        }),
        response: {
          200: Answer.describe('The most relevant first'),
          ...errorResponses(...faceOfKindErrorCodes),
        },
      },
      handler: async (request, reply) => {
        const {
          model,
          query,
          documents,
          top_n: most,
          return_documents: returns,
          max_tokens_per_doc: limit,
        } = request.body;
        const mayUse = (name: string) => maySeeModel(request, name);
        const leased = leaseFaceOfKind(faces, { kind: 'reranking', model, mayUse, routing: routingOf(request) });
        const texts = documents.map((one) => (typeof one === 'string' ? one : one.text));
        const instance = { query, documents: texts, top_n: most, return_documents: false, raw_scores: false };
        const options = { too_long: 'truncate', ...(limit !== undefined && { max_document_tokens: limit }) };
        const prediction = instancePrediction(leased, [instance], options);
        const [first] = await predictTensors(request, reply, infer, prediction);
        const { results, tokens } = Result.parse(first);
        return {
          id: randomUUID(),
          model: leased.face.domain.name,
          results: results.map(({ index, relevance_score }) => ({
            index,
            relevance_score,
            ...(returns && { document: { text: texts[index] ?? '' } }),
          })),
          meta: { billed_units: { search_units: 1 }, tokens: { input_tokens: tokens } },
          usage: { total_tokens: tokens },
        };
      },
    });
  }
}

function sendError(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  prepareErrorReply(error, request, reply);
  const message = statusOfKind[error.kind] === 500 ? error.title : error.message;
  return reply.code(statusOf(error)).send({ message } satisfies z.input<typeof errorBody>);
}
