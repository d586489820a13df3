import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import { AppError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { callerKey } from './caller-key.ts';

export interface RateLimitOptions {
  /** Most requests of a caller in a minute, unless its key says otherwise; undefined for no limit. */
  readonly perMinute: number | undefined;
  /** Where instances count together; undefined: each by itself. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
}

/** Larger than any count: those who have no limit never get there, and are not even counted. */
const unlimited = Number.MAX_SAFE_INTEGER;

/**
 * Limits the requests of one caller in a minute, and says in the `RateLimit` headers how many are left
 * (draft-ietf-httpapi-ratelimit-headers-07). While Redis is away nobody is refused: a limit is no lock.
 */
export async function limitRate(app: FastifyInstance, { perMinute, redisUrl, log }: RateLimitOptions): Promise<void> {
  const redis = redisUrl === undefined ? undefined : await connect(app, redisUrl, log);
  await app.register(rateLimit, {
    global: false,
    timeWindow: 60_000,
    keyGenerator: callerKey,
    max: (request) => request.caller?.ratePerMinute ?? perMinute ?? unlimited,
    skipOnError: true,
    ...(redis !== undefined && { redis, nameSpace: 'inferd-rate-limit-' }),
  });
  const count = app.createRateLimit();

  const countRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    const limit = await count(request);
    if (limit.isAllowed) return;
    reply.header('ratelimit-limit', limit.max);
    reply.header('ratelimit-remaining', limit.remaining);
    reply.header('ratelimit-reset', limit.ttlInSeconds);
    if (!limit.isExceeded) return;
    throw new AppError('RATE_LIMITED', {
      message: `${limit.max} requests a minute are allowed`,
      expected: limit.max,
      retryAfterSeconds: Math.max(1, limit.ttlInSeconds),
    });
  };

  // Not async: requests without a limit should not wait for a promise.
  app.addHook('onRequest', (request, reply, done) => {
    const isLimited = (request.caller?.ratePerMinute ?? perMinute) !== undefined;
    if (!isLimited || request.routeOptions.config.scope === 'open') done();
    else countRequest(request, reply).then(() => done(), done);
  });
}

async function connect(app: FastifyInstance, url: string, log: Logger): Promise<Redis> {
  const { Redis } = await import('ioredis');
  // A request must not wait for a Redis that is away.
  const redis = new Redis(url, { connectTimeout: 500, maxRetriesPerRequest: 1, enableOfflineQueue: false });
  let isAway = false;
  redis.on('error', (error: Error) => {
    // It is told once, not at every attempt to connect.
    if (!isAway) log.error({ err: error }, 'Redis is away: rates are not limited');
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) log.info('Redis is back: rates are limited');
    isAway = false;
  });
  app.addHook('onClose', () => redis.disconnect());
  return redis;
}
