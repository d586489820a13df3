import type { Clock } from './clock.ts';
export interface RepeatingJobOptions {
  /** Time from the end of a run to the next, unless one is asked for. */
  readonly intervalMs: number;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Told of what the work throws; it goes on. */
  readonly onError: (thrown: unknown) => void;
}

/** Does the same again and again, for the first time after the interval, and never twice at the same time. */
export class RepeatingJob {
  readonly #work: () => Promise<void>;
  readonly #options: RepeatingJobOptions;
  #isWanted = false;
  #isClosed = false;
  #running: Promise<void> | undefined;
  #cancelTimer = () => {};

  constructor(work: () => Promise<void>, options: RepeatingJobOptions) {
    this.#work = work;
    this.#options = options;
    this.#runLater();
  }

  /** Runs at once; if a run is under way, once more after that, however often this is asked meanwhile. */
  runSoon(): void {
    this.#isWanted = true;
    if (!this.#isClosed) this.#running ??= Promise.resolve().then(() => this.#runWhileWanted());
  }

  /** Ends it, and waits for the run under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    await this.#running;
  }

  async #runWhileWanted(): Promise<void> {
    this.#cancelTimer();
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        await this.#work();
      } catch (thrown) {
        this.#options.onError(thrown);
      }
    }
    // In the same turn as the look at what is wanted: what came between would wait for the interval.
    this.#running = undefined;
    this.#runLater();
  }

  #runLater(): void {
    const { clock, intervalMs } = this.#options;
    if (!this.#isClosed) this.#cancelTimer = clock.setTimer(intervalMs, () => this.runSoon());
  }
}
