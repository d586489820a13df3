import type { Clock } from '../../../timing/clock.ts';
import type { SharedBytes, SharedValue } from './shared-bytes.ts';

export interface RestingBytesOptions {
  readonly bytes: SharedBytes;
  readonly clock: Clock;
  /** Longest time that somebody waits for a value. */
  readonly timeoutMs: number;
  /** Called when it begins to rest after it was well, and when it is well again. */
  readonly onChange?: ((isWell: boolean, error: unknown) => void) | undefined;
}

export type GetOutcome =
  | { readonly kind: 'answered'; readonly values: readonly (SharedValue | undefined)[] }
  | { readonly kind: 'failed' | 'resting' };

/** So many failures in a row make it rest. */
const failuresBeforeRest = 3;
const restMs = { first: 1000, longest: 30_000 };
/** Most bytes that wait to be written. */
const mostPendingBytes = 1024 * 1024;

/**
 * Asks for values no longer than a time-out, and not at all for a while after failures, so that what is away delays nobody.
 * After a rest one request tries again.
 */
export class RestingBytes {
  readonly #options: RestingBytesOptions;
  #failures = 0;
  #restMs = restMs.first;
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #isTrying = false;
  #pendingBytes = 0;

  constructor(options: RestingBytesOptions) {
    this.#options = options;
  }

  /** Does not throw. */
  async get(keys: readonly string[], mostMs: number): Promise<GetOutcome> {
    if (this.#rests()) return { kind: 'resting' };
    const isTrial = this.#isTroubled;
    this.#isTrying = isTrial;
    try {
      const values = await this.#inTime(this.#options.bytes.get(keys), mostMs);
      this.#succeed();
      return { kind: 'answered', values };
    } catch (thrown) {
      // A request that has less time than the time-out says nothing of what it asked.
      if (!(thrown instanceof OutOfTime && thrown.ofRequest)) this.#fail(thrown);
      return { kind: 'failed' };
    } finally {
      if (isTrial) this.#isTrying = false;
    }
  }

  /** Writes in the background. @returns whether there was room to wait */
  set(key: string, bytes: Uint8Array, ttlMs: number, onFailed: () => void): boolean {
    const size = key.length + bytes.byteLength;
    if (this.#isTroubled || this.#pendingBytes + size > mostPendingBytes) return false;
    this.#pendingBytes += size;
    this.#options.bytes
      .set(key, bytes, ttlMs)
      .catch(onFailed)
      .finally(() => {
        this.#pendingBytes -= size;
      });
    return true;
  }

  clear(prefix: string): Promise<number> {
    return this.#options.bytes.clear(prefix);
  }

  get #isTroubled(): boolean {
    return this.#failures >= failuresBeforeRest;
  }

  #rests(): boolean {
    return this.#isTroubled && (this.#isTrying || this.#options.clock.now() < this.#restsUntilMs);
  }

  #inTime<T>(promise: Promise<T>, mostMs: number): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const isOfRequest = mostMs < timeoutMs;
    return new Promise((resolve, reject) => {
      const cancel = clock.setTimer(Math.max(0, Math.min(timeoutMs, mostMs)), () => reject(new OutOfTime(isOfRequest)));
      promise.then(resolve, reject).finally(cancel);
    });
  }

  #succeed(): void {
    if (this.#isTroubled) this.#options.onChange?.(true, undefined);
    this.#failures = 0;
    this.#restMs = restMs.first;
  }

  #fail(error: unknown): void {
    this.#failures += 1;
    if (!this.#isTroubled) return;
    const now = this.#options.clock.now();
    // Those that were under way when the rest began say nothing new.
    if (now < this.#restsUntilMs) return;
    if (this.#failures === failuresBeforeRest) this.#options.onChange?.(false, error);
    this.#restsUntilMs = now + this.#restMs;
    this.#restMs = Math.min(2 * this.#restMs, restMs.longest);
  }
}

class OutOfTime extends Error {
  readonly ofRequest: boolean;

  constructor(ofRequest: boolean) {
    super('There was no answer in time');
    this.ofRequest = ofRequest;
  }
}
