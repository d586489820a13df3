import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AppError } from '../../errors.ts';
import { fromThrown, prepareErrorReply } from '../../http/answer/error-handler.ts';
import { answerWhereNoRouteIs } from '../../http/answer/not-found.ts';
import { sendBareJson } from '../bare-json.ts';
import { errorResponsesOf, type StatusOf, statusWithout422 } from '../error-responses.ts';

const statusOf: StatusOf = ({ kind }) => statusWithout422(kind);

export const errorResponses = errorResponsesOf(z.object({ error: z.string() }), statusOf);

/** Answers the errors of the routes in this plugin as `{"error": "…"}`, with the status codes of TensorFlow Serving. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => sendError(fromThrown(thrown, request), request, reply));
  answerWhereNoRouteIs(app, sendError);
}

function sendError(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  prepareErrorReply(error, request, reply);
  const text = error.kind === 'internal' ? error.title : error.message;
  return sendBareJson(reply.code(statusOf(error)), { error: text });
}
