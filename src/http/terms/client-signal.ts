import type { FastifyReply } from 'fastify';

/**
 * A signal that is aborted when the connection ends before the answer has been written. `request.signal` of Fastify tells
 * the end of the request instead, which comes with the last byte of its body, when the client still waits.
 */
export function whenClientIsGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  // It may have closed before there was anything to abort.
  if (reply.raw.destroyed && !reply.raw.writableFinished) gone.abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
