import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type CallerLimits, type RateState, refuseExceeded } from '../../limits/caller-limits.ts';

/**
 * Limits the requests of one caller in a minute, and says in the `RateLimit` headers how many are left
 * (draft-ietf-httpapi-ratelimit-headers-07).
 */
export function limitRate(app: FastifyInstance, limits: CallerLimits): void {
  const answer = (reply: FastifyReply, state: RateState) => {
    reply.header('ratelimit-limit', state.max);
    reply.header('ratelimit-remaining', state.remaining);
    reply.header('ratelimit-reset', state.resetSeconds);
    refuseExceeded(state);
  };
  // Not async: requests without a limit should not wait for a promise.
  app.addHook('onRequest', (request, reply, done) => {
    const counting = isOpen(request) ? undefined : limits.countRequest(request);
    if (counting === undefined) done();
    else counting.then((state) => answer(reply, state)).then(() => done(), done);
  });
}

/** Limits how many requests of one caller are under way, until their answers are sent or their clients are gone. */
export function limitConcurrency(app: FastifyInstance, limits: CallerLimits): void {
  app.addHook('onRequest', (request, reply, done) => {
    const leave = isOpen(request) ? undefined : limits.enter(request);
    if (leave !== undefined) reply.raw.once('close', leave);
    done();
  });
}

function isOpen(request: FastifyRequest): boolean {
  return request.routeOptions.config.scope === 'open';
}
