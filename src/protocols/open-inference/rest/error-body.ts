import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AppError, ErrorCode } from '../../../errors.ts';
import { prepareErrorReply } from '../../../http/answer/error-handler.ts';
import { sendBareJson } from '../../bare-json.ts';
import { errorResponsesOf, type StatusOf, statusWithout422 } from '../../error-responses.ts';

/** A load that fails is the fault of the files that the request named, and the operator has to know what is wrong. */
const statusOfCode: Partial<Record<ErrorCode, number>> = {
  MODEL_LOAD_FAILED: 400,
  MANIFEST_INVALID: 400,
  GRAPH_INVALID: 400,
  REMOTE_INVALID: 400,
};

/** The status of an error in this protocol. */
export const statusOf: StatusOf = ({ code, kind }) => statusOfCode[code] ?? statusWithout422(kind);

export const errorResponses = errorResponsesOf(
  z.object({ error: z.string().describe('What happened') }).describe('An error'),
  statusOf,
);

/** Answers with `{"error": "…"}`. Faults of the server keep their details for the log, under the id of the request. */
export function sendError(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error);
  if (status === 400) reply.code(status);
  else prepareErrorReply(error, request, reply);
  if (error.code === 'UNSUPPORTED_MEDIA_TYPE') reply.header('accept-encoding', 'gzip, deflate');
  const message = status === 500 ? `${error.title}, see the log for request ${request.id}` : error.message;
  return sendBareJson(reply, { error: message });
}
