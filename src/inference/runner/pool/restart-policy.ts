import { backOff } from '../../../timing/back-off.ts';
import type { RunnerEnd } from '../runner-end.ts';

const delaysMs = { first: 100, longest: 10_000 };
const windowMs = 60_000;
const deathsThatFail = 5;
/** As many inputs, one after the other, must have crashed a model that gave no answer between, until it is at fault. */
const blamesThatFail = 20;

/**
 * When a runner that died is started again: after 100 ms, and twice as long with every death of the last minute. Five
 * deaths in a minute mean that starting again does not help: the model is given up for a minute, and then tried once
 * more, in case what killed the runners has gone away.
 *
 * A crash during the run of a request is that request's fault: the runner is started at once, and its death does not
 * count. But a model that crashes on twenty different inputs and answers nothing between is at fault itself, and is given
 * up likewise. Inputs that crashed a runner do not come again, so those that do are different.
 */
export class RestartPolicy {
  #deathsMs: number[] = [];
  #blames = 0;
  #blamedUntilMs = Number.NEGATIVE_INFINITY;

  /** Gives how long to wait before the next start. */
  recordDeath(nowMs: number, { crashed, requests }: Pick<RunnerEnd, 'crashed' | 'requests'>): number {
    if (crashed && requests > 0) return this.#recordCrash(nowMs, requests);
    this.#deathsMs = [...this.#deathsMs.filter((deathMs) => nowMs - deathMs < windowMs), nowMs];
    const deaths = this.#deathsMs.length;
    if (deaths >= deathsThatFail) return windowMs;
    return backOff(delaysMs, deaths);
  }

  /** A runner gave outputs: the model does not crash on everything. */
  recordAnswer(): void {
    this.#blames = 0;
  }

  /** Why nothing should be sent to the model; undefined if it may be. */
  verdict(nowMs: number): string | undefined {
    const deaths = this.#deathsMs.filter((deathMs) => nowMs - deathMs < windowMs).length;
    if (deaths >= deathsThatFail) return 'its runners died five times in a minute';
    if (nowMs < this.#blamedUntilMs) return `its runners crashed on ${this.#blames} inputs in a row`;
    return undefined;
  }

  /** Which of several requests is at fault is found by runs of fewer; those end in one that blames a request. */
  #recordCrash(nowMs: number, requests: number): number {
    if (requests > 1) return 0;
    this.#blames += 1;
    if (this.#blames < blamesThatFail) return 0;
    this.#blamedUntilMs = nowMs + windowMs;
    return windowMs;
  }
}
