import { AppError } from '../errors.ts';
import { callerKey } from './caller-key.ts';
import type { Requester } from './caller-limits.ts';

/** Counts what is under way by caller, and refuses what is more than allowed. */
export class ConcurrencyLimit {
  readonly #underWay = new Map<string, number>();
  readonly #maxForAll: number | undefined;

  /** @param maxForAll most requests of a caller, unless its key says otherwise; undefined for no limit */
  constructor(maxForAll: number | undefined) {
    this.#maxForAll = maxForAll;
  }

  /**
   * @returns ends the request, to be called once; undefined when the requester has no limit
   * @throws AppError `TOO_MANY_AT_ONCE`
   */
  enter(requester: Requester): (() => void) | undefined {
    const max = requester.caller?.concurrency ?? this.#maxForAll;
    if (max === undefined) return undefined;
    const key = callerKey(requester);
    const count = this.#underWay.get(key) ?? 0;
    if (count >= max) {
      const message = `${max} requests are under way already`;
      throw new AppError('TOO_MANY_AT_ONCE', { message, received: count + 1, expected: max, retryAfterSeconds: 1 });
    }
    this.#underWay.set(key, count + 1);
    return () => this.#leave(key);
  }

  #leave(key: string): void {
    const count = this.#underWay.get(key) ?? 0;
    if (count > 1) this.#underWay.set(key, count - 1);
    else this.#underWay.delete(key);
  }
}
