import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { JsonPieces } from '../../tensor/sliced-json/write-sliced-json.ts';

/** To join more would cost a copy of it all. */
const mostJoinedBytes = 64 * 1024;

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
  if (answer.byteLength <= mostJoinedBytes) return reply.send(Buffer.concat(answer.pieces));
  return reply.send(Readable.from(answer.pieces, { objectMode: false }));
}
