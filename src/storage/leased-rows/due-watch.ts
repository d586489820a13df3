import type { Clock } from '../../timing/clock.ts';
export interface DueWatchOptions {
  readonly clock: Clock;
  /** How long it is until the next row becomes due; undefined when none waits for its time. */
  readonly nextDueMs: () => Promise<number | undefined>;
  /** A row has become due, or may have: it could not be asked. */
  readonly onDue: () => void;
  /** Rows that are due later than that are left to the next {@link DueWatch.ask}. */
  readonly longestMs: number;
}

/** Under load every claim asks when the next row is due, and one answer a second is enough. */
const leastPauseMs = 1000;

/** Calls back when the time of a row has come, which spares polling. */
export class DueWatch {
  readonly #options: DueWatchOptions;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #cancelDue = () => {};
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #cancelAsk: (() => void) | undefined;
  #asking: Promise<void> | undefined;
  #asksAgain = false;
  #isClosed = false;

  constructor(options: DueWatchOptions) {
    this.#options = options;
  }

  /** A row is due then. */
  expect(delayMs: number): void {
    const { clock, onDue, longestMs } = this.#options;
    const atMs = clock.now() + delayMs;
    if (this.#isClosed || delayMs > longestMs || atMs >= this.#dueAtMs) return;
    this.#cancelDue();
    this.#dueAtMs = atMs;
    const look = () => {
      const earlyMs = atMs - clock.now();
      // Timers of Node.js may come a fraction of a millisecond early, which is in vain: the row is not due then.
      if (earlyMs > 0) {
        this.#cancelDue = clock.setTimer(earlyMs, look);
        return;
      }
      this.#dueAtMs = Number.POSITIVE_INFINITY;
      onDue();
    };
    this.#cancelDue = clock.setTimer(delayMs, look);
  }

  /** Asks the database when the next row is due: at once, within a second, or after the question that is under way. */
  ask(): void {
    const { clock } = this.#options;
    if (this.#isClosed || this.#cancelAsk !== undefined) return;
    if (this.#asking !== undefined) {
      this.#asksAgain = true;
      return;
    }
    const waitMs = this.#askedAtMs + leastPauseMs - clock.now();
    if (waitMs <= 0) this.#askNow();
    else this.#cancelAsk = clock.setTimer(waitMs, () => this.#askNow());
  }

  /** Waits for a question under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelDue();
    this.#cancelAsk?.();
    await this.#asking;
  }

  #askNow(): void {
    this.#cancelAsk = undefined;
    this.#askedAtMs = this.#options.clock.now();
    this.#asking = this.#askOnce().finally(() => {
      this.#asking = undefined;
      if (!this.#asksAgain) return;
      this.#asksAgain = false;
      this.ask();
    });
  }

  async #askOnce(): Promise<void> {
    try {
      const delayMs = await this.#options.nextDueMs();
      if (delayMs !== undefined) this.expect(Math.max(0, delayMs));
    } catch {
      // What has become due meanwhile is not known: a look finds it, and asks again.
      this.expect(leastPauseMs);
    }
  }
}
