import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type AppError, type ErrorCode, errorCodes } from '../../errors.ts';
import { fromThrown, prepareErrorReply } from '../../http/answer/error-handler.ts';
import { statusOfKind } from '../../http/answer/error-status.ts';
import { answerWhereNoRouteIs } from '../../http/answer/not-found.ts';
import { sendBareJson } from '../bare-json.ts';

const errorSchema = z.object({ error: z.string() });

/** Answers the errors of the routes in this plugin as `{"error": "…"}`, with the status codes of TensorFlow Serving. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => sendError(fromThrown(thrown, request), request, reply));
  answerWhereNoRouteIs(app, sendError);
}

function sendError(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  prepareErrorReply(error, request, reply);
  const text = error.kind === 'internal' ? error.title : error.message;
  return sendBareJson(reply.code(statusOf(error.kind)), { error: text });
}

/** Documents the errors that a route can answer, by status. */
export function errorResponses(...codes: readonly ErrorCode[]): Record<number, object> {
  const codesByStatus = Map.groupBy(codes, (code) => statusOf(errorCodes[code].kind));
  const responses = [...codesByStatus].map(([status, ofStatus]) => [
    status,
    {
      description: ofStatus.map((code) => errorCodes[code].title).join('. '),
      content: { 'application/json': { schema: errorSchema } },
    },
  ]);
  return Object.fromEntries(responses);
}

/** TensorFlow Serving knows no 422: an invalid argument is a 400. */
function statusOf(kind: AppError['kind']): number {
  return kind === 'invalid' ? 400 : statusOfKind[kind];
}
