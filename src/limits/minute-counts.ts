/** How often one caller has asked since its minute began. */
interface Count {
  current: number;
  readonly startedMs: number;
}

/** What the rate limit wants to know of a caller after a request. */
export interface Counted {
  readonly current: number;
  /** Time until the count begins anew. */
  readonly ttl: number;
}

/** Of more callers in a window, those are forgotten whose window began first; each takes about 200 bytes. */
const mostCallers = 1_000_000;

/**
 * Counts the requests of callers in windows of time, as a store of `@fastify/rate-limit`. Its own store keeps 5,000 callers
 * and forgets the others, so that a caller had a new minute as soon as so many others had asked; this one forgets a caller
 * when its window is over.
 */
export class MinuteCounts {
  /** The window that began first comes first. */
  readonly #counts = new Map<string, Count>();
  readonly #nowMs: () => number;
  readonly #mostCallers: number;

  constructor({ nowMs = Date.now, most = mostCallers }: { nowMs?: () => number; most?: number } = {}) {
    this.#nowMs = nowMs;
    this.#mostCallers = most;
  }

  /** How many callers are remembered. */
  get size(): number {
    return this.#counts.size;
  }

  incr(caller: string, done: (error: Error | null, counted?: Counted) => void, windowMs: number): void {
    const nowMs = this.#nowMs();
    this.#forget(nowMs, windowMs);
    const count = this.#counts.get(caller) ?? { current: 0, startedMs: nowMs };
    count.current += 1;
    this.#counts.set(caller, count);
    done(null, { current: count.current, ttl: windowMs - (nowMs - count.startedMs) });
  }

  child(): MinuteCounts {
    return this;
  }

  #forget(nowMs: number, windowMs: number): void {
    for (const [caller, { startedMs }] of this.#counts) {
      if (startedMs + windowMs > nowMs && this.#counts.size < this.#mostCallers) return;
      this.#counts.delete(caller);
    }
  }
}
