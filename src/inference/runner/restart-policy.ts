import { backOff } from '../../timing/back-off.ts';

const delaysMs = { first: 100, longest: 10_000 };
const windowMs = 60_000;
const deathsThatFail = 5;

/**
 * When a runner that died is started again: after 100 ms, and twice as long with every death of the last minute. Five
 * deaths in a minute mean that starting again does not help: the model is given up for a minute, and then tried once
 * more, in case what killed the runners has gone away.
 */
export class RestartPolicy {
  #deathsMs: number[] = [];

  /** Gives how long to wait before the next start. */
  recordDeath(nowMs: number): number {
    this.#deathsMs = [...this.#deathsMs.filter((deathMs) => nowMs - deathMs < windowMs), nowMs];
    const deaths = this.#deathsMs.length;
    if (deaths >= deathsThatFail) return windowMs;
    return backOff(delaysMs, deaths);
  }

  /** Whether there were too many deaths in the last minute. */
  hasGivenUp(nowMs: number): boolean {
    return this.#deathsMs.filter((deathMs) => nowMs - deathMs < windowMs).length >= deathsThatFail;
  }
}
