import type { FastifyInstance } from 'fastify';
import type { CallerLimits } from '../../limits/caller-limits.ts';
import { ConcurrencyLimit } from '../../limits/concurrency-limit.ts';
import { openRateLimit, type RateLimitOptions } from './rate-limit.ts';

export interface CallerLimitsOptions extends RateLimitOptions {
  /** Most requests of a caller at the same time, unless its key says otherwise; undefined for no limit. */
  readonly maxConcurrent: number | undefined;
}

/** Limits for every caller; what counts their rates ends with the app. */
export async function openCallerLimits(app: FastifyInstance, options: CallerLimitsOptions): Promise<CallerLimits> {
  const concurrency = new ConcurrencyLimit(options.maxConcurrent);
  const countRequest = await openRateLimit(app, options);
  return { countRequest, enter: (requester) => concurrency.enter(requester) };
}
