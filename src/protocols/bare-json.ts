import type { FastifyReply } from 'fastify';

/**
 * Sends JSON under the bare type `application/json`: clients such as KServe's compare the header as a whole, and Fastify
 * would add the charset to a text.
 */
export function sendBareJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));
}
