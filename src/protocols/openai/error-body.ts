import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AppError } from '../../errors.ts';
import { fromThrown, prepareErrorReply } from '../../http/answer/error-handler.ts';
import { statusOfKind } from '../../http/answer/error-status.ts';
import { errorResponsesOf, type StatusOf, statusWithout422 } from '../error-responses.ts';

const body = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string().nullable() }),
});

const statusOf: StatusOf = ({ kind }) => statusWithout422(kind);

export const errorResponses = errorResponsesOf(body, statusOf);

/**
 * Answers the errors of the routes in this plugin as OpenAI does: https://platform.openai.com/docs/guides/error-codes.
 *
 * @param paths those of the routes, also for methods that they do not take
 */
export function answerErrors(app: FastifyInstance, paths: readonly string[]): void {
  app.setErrorHandler((thrown, request, reply) => sendError(fromThrown(thrown, request), request, reply));
  for (const path of paths) app.errorForms.set(path, sendError);
}

function sendError(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  prepareErrorReply(error, request, reply);
  const status = statusOf(error);
  const [, ...within] = error.faults[0]?.location ?? [];
  return reply.code(status).send({
    error: {
      message: statusOfKind[error.kind] === 500 ? error.title : error.message,
      type: status === 401 ? 'authentication_error' : status < 500 ? 'invalid_request_error' : 'server_error',
      param: within.length > 0 ? within.join('.') : null,
      code: error.code.toLowerCase(),
    },
  } satisfies z.input<typeof body>);
}
