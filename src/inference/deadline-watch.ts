import type { Clock } from '../timing/clock.ts';

/**
 * One timer for many deadlines. Most things are done long before theirs, so a deadline costs nothing unless it is the
 * earliest; when the timer fires, the owner looks for what has expired and names the next one.
 */
export class DeadlineWatch {
  readonly #clock: Clock;
  readonly #expire: () => number;
  #armedMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** `expire` answers what has expired, and gives the earliest deadline that is left, or infinity. */
  constructor(clock: Clock, expire: () => number) {
    this.#clock = clock;
    this.#expire = expire;
  }

  add(deadlineMs: number): void {
    if (deadlineMs >= this.#armedMs) return;
    this.#cancel?.();
    this.#armedMs = deadlineMs;
    // A timer may fire a fraction of a millisecond early; a whole one keeps it from firing twice.
    const delayMs = Math.max(1, Math.ceil(deadlineMs - this.#clock.now()));
    this.#cancel = this.#clock.setTimer(delayMs, () => this.#fire());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedMs = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#armedMs = Number.POSITIVE_INFINITY;
    const nextMs = this.#expire();
    if (nextMs !== Number.POSITIVE_INFINITY) this.add(nextMs);
  }
}
