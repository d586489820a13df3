import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { JsonPieces } from '../tensor/sliced-json/write-sliced-json.ts';

/**
 * Gives what a handler returns: the answer itself, which is written as JSON, or the reply that sends the pieces of a large
 * one.
 *
 * @param mediaType of the pieces
 */
export function sendPieces<Answer>(
  reply: FastifyReply,
  answer: Answer | JsonPieces,
  mediaType = 'application/json; charset=utf-8',
): Answer | FastifyReply {
  if (!(answer instanceof JsonPieces)) return answer;
  reply.header('content-type', mediaType).header('content-length', answer.byteLength);
  return reply.send(Readable.from(answer.pieces, { objectMode: false }));
}
