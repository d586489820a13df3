import type { FastifyReply } from 'fastify';

/** Says that the answer depends on a header of the request, beside those that it has been said of already. */
export function addVary(reply: FastifyReply, header: string): void {
  const said = reply.getHeader('vary');
  reply.header('vary', said === undefined || said === '' ? header : `${said}, ${header}`);
}
