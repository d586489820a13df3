import type { CacheEvents } from './inference/cache/cache-events.ts';
import type { OpenCache } from './models/caching/open-cache.ts';
import type { SharedCache } from './models/caching/shared-level.ts';
import type { Clock } from './timing/clock.ts';
import { EndOfTurn } from './timing/end-of-turn.ts';
import type { Log } from './timing/log.ts';

interface CachesOptions {
  /** Over all models together. */
  readonly memoryBytes: number;
  /** Longest time that a request waits for Redis. */
  readonly redisTimeoutMs: number;
  /** Where servers share answers; undefined: each keeps its own. */
  readonly redisUrl: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly eventsOf?: ((name: string, version: string) => CacheEvents) | undefined;
}

/**
 * What caches of models need of the rest of the program; nothing of it is loaded before the first model that has one.
 *
 * @param stack ends the connection to Redis
 */
export function createCaches(
  options: CachesOptions,
  stack: Pick<AsyncDisposableStack, 'defer'>,
): () => Promise<OpenCache> {
  let opened: Promise<OpenCache> | undefined;
  return () => {
    opened ??= open(options, stack);
    return opened;
  };
}

async function open(options: CachesOptions, stack: Pick<AsyncDisposableStack, 'defer'>): Promise<OpenCache> {
  const { memoryBytes, clock, log, eventsOf } = options;
  const { AnswerMemory } = await import('./inference/cache/answer-memory.ts');
  const { LoadIdentities } = await import('./models/caching/load-identity.ts');
  const { createOpenCache } = await import('./models/caching/open-cache.ts');
  const turn = new EndOfTurn();
  return createOpenCache({
    endOfTurn: () => turn.wait(),
    memory: new AnswerMemory(memoryBytes, clock),
    identities: new LoadIdentities(),
    openShared: sharedCache(options, stack),
    eventsOf,
    clock,
    log,
  });
}

/** Connects with the first model that shares its answers. */
function sharedCache(
  { redisUrl, redisTimeoutMs, clock, log }: CachesOptions,
  stack: Pick<AsyncDisposableStack, 'defer'>,
): (() => Promise<SharedCache>) | undefined {
  if (redisUrl === undefined) return undefined;
  let opened: Promise<SharedCache> | undefined;
  const connect = async (): Promise<SharedCache> => {
    const { openRedis } = await import('./redis/open-redis.ts');
    const { RedisBytes } = await import('./redis/redis-bytes.ts');
    const { RestingBytes } = await import('./inference/cache/shared/resting-bytes.ts');
    const { SharedStore } = await import('./inference/cache/shared/shared-store.ts');
    // Nobody waits any more for what was not answered before the connection was lost.
    const redis = openRedis(redisUrl, { resends: false });
    // Failures are counted where they delay a request.
    redis.on('error', () => {});
    stack.defer(() => redis.disconnect());
    await firstState(redis, clock);
    const bytes = new RestingBytes({
      bytes: new RedisBytes(redis),
      clock,
      timeoutMs: redisTimeoutMs,
      onChange: (isWell, err) => {
        if (isWell) log.info({}, 'Redis is back: servers share the answers of models again');
        else log.error({ err }, 'Redis is away: each server keeps the answers of models for itself');
      },
    });
    return { open: (events) => new SharedStore(bytes, clock, events) };
  };
  return () => {
    opened ??= connect();
    return opened;
  };
}

/** How long a load waits to be connected, so that the first requests can use it, in milliseconds. */
const connectMs = 500;

/** Resolves once there is a connection, or there is none for now. */
function firstState(redis: { once(event: string, listener: () => void): unknown }, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(connectMs, resolve);
    const settle = () => {
      cancel();
      resolve();
    };
    for (const event of ['ready', 'error', 'close']) redis.once(event, settle);
  });
}
