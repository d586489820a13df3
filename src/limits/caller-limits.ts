import type { Caller } from '../access/caller.ts';
import { AppError } from '../errors.ts';

/** Whose request it is. */
export interface Requester {
  /** Undefined without a valid key. */
  readonly caller: Caller | undefined;
  /** Address that the request comes from. */
  readonly ip: string;
}

/** Where a caller stands in the present minute. */
export interface RateState {
  readonly max: number;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly isExceeded: boolean;
}

/** What a caller may do, over HTTP and other protocols together. Who has no limit is not counted. */
export interface CallerLimits {
  /** Counts a request; undefined when the requester has no limit. */
  countRequest(requester: Requester): Promise<RateState> | undefined;
  /**
   * Counts what is under way.
   *
   * @returns ends it, to be called once; undefined when the requester has no limit
   * @throws AppError `TOO_MANY_AT_ONCE`
   */
  enter(requester: Requester): (() => void) | undefined;
}

/** @throws AppError `RATE_LIMITED` when the caller has made more requests than it may */
export function refuseExceeded({ max, resetSeconds, isExceeded }: RateState): void {
  if (!isExceeded) return;
  throw new AppError('RATE_LIMITED', {
    message: `${max} requests a minute are allowed`,
    expected: max,
    retryAfterSeconds: Math.max(1, resetSeconds),
  });
}
