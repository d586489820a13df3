import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { callerKey } from '../../limits/caller-key.ts';
import type { CallerLimits, RateState, Requester } from '../../limits/caller-limits.ts';
import { MinuteCounts } from '../../limits/minute-counts.ts';
import type { Redis } from '../../redis/open-redis.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface RateLimitOptions {
  /** Most requests of a caller in a minute, unless its key says otherwise; undefined for no limit. */
  readonly perMinute: number | undefined;
  /** Where instances count together; undefined: each by itself. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
}

/** All that the plugin looks at in a request. */
interface CountedRequest extends Requester {
  readonly routeOptions: { readonly config: object };
}

/** Counts the requests of each caller in a minute. While Redis is away no request is refused: a limit is no lock. */
export async function openRateLimit(
  app: FastifyInstance,
  { perMinute, redisUrl, log }: RateLimitOptions,
): Promise<CallerLimits['countRequest']> {
  const redis = redisUrl === undefined ? undefined : await connect(app, redisUrl, log);
  const maxOf = ({ caller }: Requester) => caller?.ratePerMinute ?? perMinute;
  await app.register(rateLimit, {
    global: false,
    timeWindow: 60_000,
    keyGenerator: callerKey,
    max: (request) => maxOf(request) ?? Number.MAX_SAFE_INTEGER,
    skipOnError: true,
    ...(redis === undefined ? { store: MinuteCounts } : { redis, nameSpace: 'inferd-rate-limit-' }),
  });
  // A method, for it takes less than the whole request that the plugin is declared to want.
  const plugin: { count(request: CountedRequest): ReturnType<ReturnType<FastifyInstance['createRateLimit']>> } = {
    count: app.createRateLimit(),
  };
  const count = async ({ caller, ip }: Requester): Promise<RateState> => {
    const state = await plugin.count({ caller, ip, routeOptions: { config: {} } });
    // The plugin has no list of those who are always allowed.
    if (state.isAllowed) return { max: 0, remaining: 0, resetSeconds: 0, isExceeded: false };
    const { max, remaining, ttlInSeconds: resetSeconds, isExceeded } = state;
    return { max, remaining, resetSeconds, isExceeded };
  };
  return (requester) => (maxOf(requester) === undefined ? undefined : count(requester));
}

async function connect(app: FastifyInstance, url: string, log: Logger): Promise<Redis> {
  const { openRedis } = await import('../../redis/open-redis.ts');
  const redis = openRedis(url);
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
