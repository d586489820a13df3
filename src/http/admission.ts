import type { FastifyInstance } from 'fastify';
import type { KeyRing } from '../access/key-ring.ts';
import type { Logger } from '../telemetry/logger.ts';
import { authorizeCallers, identifyCallers } from './authorization.ts';

export interface AdmissionOptions {
  /** Undefined: everybody may do everything. */
  readonly keys: KeyRing | undefined;
  readonly docsPublic: boolean;
  readonly rateLimitPerMinute: number | undefined;
  readonly maxConcurrentPerCaller: number | undefined;
  readonly redisUrl: string | undefined;
  readonly log: Logger;
}

/**
 * Who comes in, and how often. What is off costs nothing: it has no hook, and is not even loaded. Health is always let in.
 * Rates are counted before keys are refused, so that a limit slows down also those who try keys.
 */
export async function admitCallers(app: FastifyInstance, options: AdmissionOptions): Promise<void> {
  const { keys, rateLimitPerMinute, maxConcurrentPerCaller, redisUrl, log } = options;
  app.decorateRequest('caller', undefined);
  if (keys !== undefined) identifyCallers(app, keys);
  if (keys !== undefined || rateLimitPerMinute !== undefined) {
    const { limitRate } = await import('./rate-limit.ts');
    await limitRate(app, { perMinute: rateLimitPerMinute, redisUrl, log });
  }
  if (keys !== undefined) authorizeCallers(app, { keys, docsPublic: options.docsPublic });
  if (keys !== undefined || maxConcurrentPerCaller !== undefined) {
    const { ConcurrencyLimit, limitConcurrency } = await import('./concurrency-limit.ts');
    limitConcurrency(app, new ConcurrencyLimit(), maxConcurrentPerCaller);
  }
}
