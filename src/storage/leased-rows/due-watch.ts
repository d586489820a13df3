import type { Clock } from '../../timing/clock.ts';
export interface DueWatchOptions {
  readonly clock: Clock;
  /** How long it is until the next row becomes due; undefined when none waits for its time. */
  readonly nextDueMs: () => Promise<number | undefined>;
  /** A row has become due. */
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
    this.#cancelDue = clock.setTimer(delayMs, () => {
      this.#dueAtMs = Number.POSITIVE_INFINITY;
      onDue();
    });
  }

  /** Asks the database when the next row is due, at once or within a second. */
  ask(): void {
    const { clock } = this.#options;
    if (this.#isClosed || this.#cancelAsk !== undefined) return;
    const waitMs = this.#askedAtMs + leastPauseMs - clock.now();
    if (waitMs > 0 || this.#asking !== undefined) {
      this.#cancelAsk = clock.setTimer(Math.max(0, waitMs), () => this.#askNow());
      return;
    }
    this.#askNow();
  }

  /** Waits for a question under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelDue();
    this.#cancelAsk?.();
    await this.#asking;
  }

  #askNow(): void {
    const { clock, nextDueMs } = this.#options;
    this.#cancelAsk = undefined;
    this.#askedAtMs = clock.now();
    this.#asking = nextDueMs()
      .then((delayMs) => {
        if (delayMs !== undefined) this.expect(Math.max(0, delayMs));
      })
      // The storage is away, or the next look asks again.
      .catch(() => {})
      .finally(() => {
        this.#asking = undefined;
      });
  }
}
