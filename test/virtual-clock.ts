import type { Clock } from '../src/timing/clock.ts';

interface Event {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to go on. Events of the same moment happen in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  /** The next one last. */
  readonly #events: Event[] = [];

  now(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
    const later = this.#events.findLastIndex((other) => other.atMs > event.atMs);
    this.#events.splice(later + 1, 0, event);
    return () => {
      const index = this.#events.indexOf(event);
      if (index !== -1) this.#events.splice(index, 1);
    };
  }

  /** Runs everything that is due until that moment, and the promises that it settles. */
  async advanceTo(atMs: number): Promise<void> {
    await settlePromises();
    for (let next = this.#takeNext(atMs); next !== undefined; next = this.#takeNext(atMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settlePromises();
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  async advance(ms: number): Promise<void> {
    await this.advanceTo(this.#nowMs + ms);
  }

  /** Lets time pass without anything happening in it, as when something else holds up the event loop. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  #takeNext(untilMs: number): Event | undefined {
    const next = this.#events.at(-1);
    return next !== undefined && next.atMs <= untilMs ? this.#events.pop() : undefined;
  }
}

/** Lets every promise that can settle do so: one turn of the event loop runs all microtasks. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
