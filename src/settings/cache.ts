import { wholeNumber } from './values.ts';

/** The caches of models that have one. */
export const cacheVariables = {
  CACHE_MEMORY_BYTES: wholeNumber({ min: 1024, max: 2 ** 40, default: 64 * 1024 * 1024 }).describe(
    'Most bytes of the answers that are kept of all models that have a cache',
  ),
  CACHE_REDIS_TIMEOUT_MS: wholeNumber({ min: 1, max: 10_000, default: 20 }).describe(
    'Longest time that a request waits for an answer that servers share in Redis, in milliseconds',
  ),
};

interface CacheEnvironment {
  readonly CACHE_MEMORY_BYTES: number;
  readonly CACHE_REDIS_TIMEOUT_MS: number;
}

export function cacheSettings(environment: CacheEnvironment) {
  return {
    memoryBytes: environment.CACHE_MEMORY_BYTES,
    redisTimeoutMs: environment.CACHE_REDIS_TIMEOUT_MS,
  };
}
