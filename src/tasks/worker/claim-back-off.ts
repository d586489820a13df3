import { backOff } from '../../timing/back-off.ts';
import type { Clock } from '../../timing/clock.ts';

export interface ClaimBackOffDependencies {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly look: () => void;
}

const longestWaitsMs = { first: 10, longest: 100 };

/**
 * When a worker tries to claim the tasks that other processes have announced. Every worker gets the notice, and one gets the
 * task: a worker that came too late waits a moment the next time, longer with every time in a row, and does not try at all
 * when it learns meanwhile that the tasks were begun. So one worker is quick, and as many help as are needed.
 */
export class ClaimBackOff {
  readonly #dependencies: ClaimBackOffDependencies;
  readonly #waiting = new Set<string>();
  #misses = 0;
  #cancelLook: (() => void) | undefined;

  constructor(dependencies: ClaimBackOffDependencies) {
    this.#dependencies = dependencies;
  }

  /** Tasks wait for a worker. */
  add(ids: readonly string[]): void {
    for (const id of ids) this.#waiting.add(id);
    if (this.#cancelLook !== undefined || this.#waiting.size === 0) return;
    if (this.#misses === 0) {
      this.#look();
      return;
    }
    const { clock, random } = this.#dependencies;
    this.#cancelLook = clock.setTimer(random() * backOff(longestWaitsMs, this.#misses), () => this.#look());
  }

  /** Tasks do not wait any more. */
  remove(ids: readonly string[]): void {
    for (const id of ids) this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.close();
  }

  /** The look brought tasks, or others had them already. */
  recordLook(hasFound: boolean): void {
    this.#misses = hasFound ? 0 : this.#misses + 1;
  }

  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #look(): void {
    this.#cancelLook = undefined;
    this.#waiting.clear();
    this.#dependencies.look();
  }
}
