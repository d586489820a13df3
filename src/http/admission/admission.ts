import type { FastifyInstance } from 'fastify';
import type { KeyRing } from '../../access/key-ring.ts';
import type { CallerLimits } from '../../limits/caller-limits.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { authorizeCallers, identifyCallers } from './authorization.ts';
import { limitConcurrency, limitRate } from './limit-callers.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** For other protocols than HTTP; undefined when no caller has a limit. */
    callerLimits: CallerLimits | undefined;
  }
}

export interface AdmissionOptions {
  /** Undefined: every caller may do everything. */
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
 *
 * @returns the limits, for other protocols than HTTP; undefined when no caller has any
 */
export async function admitCallers(app: FastifyInstance, options: AdmissionOptions): Promise<CallerLimits | undefined> {
  const { keys } = options;
  app.decorateRequest('caller', undefined);
  app.decorate('stillAllows', () => true);
  if (keys !== undefined) identifyCallers(app, keys);
  const limits = await openLimits(app, options);
  if (limits !== undefined) limitRate(app, limits);
  if (keys !== undefined) authorizeCallers(app, { keys, docsPublic: options.docsPublic });
  if (limits !== undefined) limitConcurrency(app, limits);
  return limits;
}

/** Loads what counts only where a caller has a limit; with keys, one of them may have one at any time. */
async function openLimits(app: FastifyInstance, options: AdmissionOptions): Promise<CallerLimits | undefined> {
  const { keys, rateLimitPerMinute: perMinute, maxConcurrentPerCaller: maxConcurrent, redisUrl, log } = options;
  if (keys === undefined && perMinute === undefined && maxConcurrent === undefined) return undefined;
  const { openCallerLimits } = await import('./open-caller-limits.ts');
  return openCallerLimits(app, { perMinute, maxConcurrent, redisUrl, log });
}
