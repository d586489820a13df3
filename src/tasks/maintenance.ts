import { toAppError } from '../errors.ts';
import type { Ledger } from './ledger.ts';

export interface MaintenanceDependencies {
  readonly leaseMs: number;
  readonly clock: { setTimer(delayMs: number, callback: () => void): () => void };
  readonly log: { warn(details: object, message: string): void };
  /** Told when tasks were put back into the queue. */
  readonly onTakeover: () => void;
}

/** Takes tasks from dead workers, and deletes what has been kept for long enough, again and again. */
export class Maintenance {
  readonly #ledger: Ledger;
  readonly #dependencies: MaintenanceDependencies;
  #round: Promise<void> | undefined;
  #isClosed = false;
  #cancelTimer = () => {};

  constructor(ledger: Ledger, dependencies: MaintenanceDependencies) {
    this.#ledger = ledger;
    this.#dependencies = dependencies;
    this.#schedule();
  }

  /** Waits for what is being done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    await this.#round;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { clock, leaseMs } = this.#dependencies;
    this.#cancelTimer = clock.setTimer(leaseMs / 3, () => {
      this.#round = this.#work().finally(() => this.#schedule());
    });
  }

  async #work(): Promise<void> {
    const { log, onTakeover } = this.#dependencies;
    try {
      const taken = await this.#ledger.takeFromDeadWorkers();
      if (taken > 0) {
        log.warn({ tasks: taken }, 'Took tasks from workers that were not heard of any more');
        onTakeover();
      }
      await this.#ledger.deleteExpired();
    } catch (thrown) {
      log.warn({ err: toAppError(thrown) }, 'The tasks cannot be looked after');
    }
  }
}
