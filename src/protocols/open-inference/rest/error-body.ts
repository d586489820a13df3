import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type AppError, type ErrorCode, type ErrorKind, errorCodes } from '../../../errors.ts';
import { prepareErrorReply } from '../../../http/answer/error-handler.ts';
import { statusOfKind } from '../../../http/answer/error-status.ts';

const errorSchema = z.object({ error: z.string().describe('What happened') }).describe('An error');

/** A load that fails is the fault of the files that the request named, and the operator has to know what is wrong. */
const statusOfCode: Partial<Record<ErrorCode, number>> = { MODEL_LOAD_FAILED: 400, MANIFEST_INVALID: 400 };

/** The status of an error in this protocol, which knows no 422. */
export function statusOf({ code, kind }: { code: ErrorCode; kind: ErrorKind }): number {
  return statusOfCode[code] ?? (kind === 'invalid' ? 400 : statusOfKind[kind]);
}

/** Answers with `{"error": "…"}`. Faults of the server keep their details for the log, under the id of the request. */
export function sendError(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error);
  if (status === 400) reply.code(status);
  else prepareErrorReply(error, request, reply);
  if (error.code === 'UNSUPPORTED_MEDIA_TYPE') reply.header('accept-encoding', 'gzip, deflate');
  const message = status === 500 ? `${error.title}, see the log for request ${request.id}` : error.message;
  return sendJson(reply, { error: message });
}

/** Sends bytes, because Fastify adds a charset to the type of anything else, and KServe's client takes `application/json` alone. */
export function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.type('application/json').send(Buffer.from(JSON.stringify(body)));
}

/** Documents the errors that a route can answer, by status. */
export function errorResponses(...codes: readonly ErrorCode[]): Record<number, object> {
  const byStatus = Map.groupBy(codes, (code) => statusOf({ code, kind: errorCodes[code].kind }));
  const responses = [...byStatus].map(([status, ofStatus]) => [
    status,
    {
      description: ofStatus.map((code) => errorCodes[code].title).join('. '),
      content: { 'application/json': { schema: errorSchema } },
    },
  ]);
  return Object.fromEntries(responses);
}
