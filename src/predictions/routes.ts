import { Readable } from 'node:stream';
import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import { maySeeModel, maySeeOthers } from '../http/admission/authorization.ts';
import { problemResponses } from '../http/answer/problem.ts';
import { exportFormats } from './export/formats.ts';
import { parseFeedback } from './feedback-parser.ts';
import { idOf, parsePredictionId } from './recording/prediction-id.ts';
import { predictionText } from './recording/prediction-text.ts';
import {
  exportQuery,
  feedbackBody,
  filterOf,
  listQuery,
  predictionList,
  predictionParams,
  predictionWithHistory,
} from './schemas.ts';
import type { PredictionService, Reader } from './service.ts';

export interface PredictionRoutesOptions {
  readonly predictions: PredictionService;
  /** Milliseconds since 1970. @default Date.now */
  readonly wallClock?: () => number;
}

/** A key for some models may read the predictions of one of them. */
const modelOfQuery = ({ query }: FastifyRequest) => {
  const { model } = query as { model?: unknown };
  return typeof model === 'string' ? model : undefined;
};

const tags = ['predictions'];
const readErrors = problemResponses('VALIDATION_FAILED', 'STORAGE_UNAVAILABLE', 'INTERNAL');
const errorsOfOne = problemResponses('VALIDATION_FAILED', 'PREDICTION_NOT_FOUND', 'STORAGE_UNAVAILABLE', 'INTERNAL');

/** `GET /predictions`, `/predictions/export`, `/predictions/{id}` and `POST /predictions/{id}/feedback`. */
export function predictionRoutes(app: FastifyInstance, options: PredictionRoutesOptions): void {
  const { predictions, wallClock = Date.now } = options;
  const typed = app.withTypeProvider<ZodTypeProvider>();
  parseFeedback(app);

  typed.get('/predictions', {
    config: { scope: 'admin', model: modelOfQuery },
    schema: {
      tags,
      summary: 'Predictions that were kept',
      querystring: listQuery,
      response: { 200: predictionList.describe('A page of them'), ...readErrors },
    },
    handler: async ({ query }, reply) => {
      const before = query.cursor === undefined ? undefined : parsePredictionId(query.cursor);
      const page = await predictions.list(filterOf(query, wallClock()), query.limit, before);
      const last = page.predictions.at(-1);
      const more = {
        ...(page.next !== undefined && last !== undefined && { next_cursor: idOf(last) }),
        dropped: predictions.dropped,
      };
      const list = page.predictions.map((prediction) => predictionText(prediction)).join(',');
      return sendJson(reply, `{"predictions":[${list}],${JSON.stringify(more).slice(1)}`);
    },
  });

  typed.get('/predictions/export', {
    config: { scope: 'admin', model: modelOfQuery },
    schema: {
      tags,
      summary: 'Predictions as a file',
      description: 'JSON Lines with a prediction each as `GET /predictions` has it, or a table in CSV or Parquet.',
      querystring: exportQuery,
      produces: Object.values(exportFormats).map(({ mediaType }) => mediaType),
      response: readErrors,
    },
    handler: async (request, reply) => {
      const { query, method, server } = request;
      const { mediaType, write } = exportFormats[query.format];
      const pages = predictions.pages(filterOf(query, wallClock()), query.limit);
      // What fails at once is still answered with a problem.
      const first = await pages.next();
      reply.type(mediaType);
      reply.header('content-disposition', `attachment; filename="predictions.${query.format}"`);
      if (method === 'HEAD') {
        await pages.return(undefined);
        return reply.send(Readable.from([]));
      }
      return reply.send(
        Readable.from(write(resume(first, pages, () => server.stillAllows(request))), { objectMode: false }),
      );
    },
  });

  typed.get('/predictions/:id', {
    config: { scope: 'infer', filtersModels: true },
    schema: {
      tags,
      summary: 'One prediction with all its feedback',
      description: 'Of the key that made it; a key with the scope `admin` may see those of others.',
      params: predictionParams,
      response: { 200: predictionWithHistory.describe('The prediction'), ...errorsOfOne },
    },
    handler: async (request, reply) =>
      sendJson(reply, withHistory(await predictions.get(request.params.id, readerOf(request)))),
  });

  typed.post('/predictions/:id/feedback', {
    config: { scope: 'infer', filtersModels: true },
    schema: {
      tags,
      summary: 'Say what the true answer was, or how good it was',
      description: 'The last label, score and comment count; all feedback is kept, up to the last 100.',
      params: predictionParams,
      body: feedbackBody,
      response: {
        201: predictionWithHistory.describe('The prediction with the feedback'),
        ...problemResponses('MALFORMED_JSON', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'),
        ...errorsOfOne,
      },
    },
    handler: async (request, reply) => {
      const key = request.caller?.name;
      const feedback = { at: new Date(wallClock()).toISOString(), ...request.body, ...(key !== undefined && { key }) };
      const judged = await predictions.judge(request.params.id, feedback, readerOf(request));
      return sendJson(reply.code(201), withHistory(judged));
    },
  });
}

function withHistory(prediction: Awaited<ReturnType<PredictionService['get']>>): string {
  return predictionText(prediction, { feedback_history: prediction.feedback });
}

/** A text is sent as it is. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}

function readerOf(request: FastifyRequest): Reader {
  return {
    keyId: request.caller?.id,
    seesAll: maySeeOthers(request),
    maySee: (model) => maySeeModel(request, model),
  };
}

/** @throws AppError `UNAUTHENTICATED` when the key is not valid any more: the connection breaks, so that no part passes for the whole */
async function* resume<Item>(
  first: IteratorResult<Item, void>,
  others: AsyncGenerator<Item>,
  mayGoOn: () => boolean,
): AsyncGenerator<Item> {
  if (first.done === true) return;
  yield first.value;
  for await (const item of others) {
    if (!mayGoOn()) throw new AppError('UNAUTHENTICATED', { message: 'The API key is not valid any more' });
    yield item;
  }
}
