import type { Clock } from '../../../timing/clock.ts';
import type { Log } from '../../../timing/log.ts';
import type { Health } from '../../predictor.ts';
import type { RunnerEnd } from '../runner-end.ts';
import type { RunnerProcess } from '../runner-process.ts';
import { RestartPolicy } from './restart-policy.ts';
import { RunnerSlot, type RunnerStats } from './runner-slot.ts';

export interface RunnerPoolOptions {
  readonly instances: number;
  readonly timeoutMs: number;
  readonly memoryLimitBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Starts a process and warms it up. */
  readonly start: (signal: AbortSignal) => Promise<RunnerProcess>;
  readonly onRestart: (reason: string) => void;
  /** Called whenever a runner begins or ends to accept runs, or the state may have changed. */
  readonly onChange: () => void;
}

/**
 * How long a model counts as ready while the runner that an input crashed is started again. Requests wait for it; if it
 * took them from the model, a client could keep a server out of service with one such input after the other.
 */
const graceMs = 5_000;

/** The runners of one model. */
export class RunnerPool {
  readonly slots: readonly RunnerSlot[];
  readonly #options: RunnerPoolOptions;
  readonly #policy = new RestartPolicy();
  #lastReason = '';
  #graceUntilMs = Number.NEGATIVE_INFINITY;
  #cancelGrace: (() => void) | undefined;
  /** Why nothing should be sent to the model, if it was given up. */
  #verdict: string | undefined;

  constructor(options: RunnerPoolOptions) {
    this.#options = options;
    const { timeoutMs, memoryLimitBytes, clock, log, start } = options;
    this.slots = Array.from(
      { length: options.instances },
      () =>
        new RunnerSlot({
          timeoutMs,
          memoryLimitBytes,
          clock,
          log,
          start,
          recordDeath: (end) => this.#recordDeath(end),
          recordAnswer: () => this.#policy.recordAnswer(),
          onChange: () => this.#change(),
        }),
    );
  }

  get stats(): RunnerStats[] {
    return this.slots.map((slot) => slot.stats);
  }

  /**
   * Ready while a runner serves, or will in a moment after an input crashed it, unless the runners die so often that the
   * model was given up.
   */
  get health(): Health {
    if (this.#verdict !== undefined) return { ready: false, reason: `${this.#verdict}: ${this.#lastReason}` };
    if (this.slots.some((slot) => slot.accepts)) return { ready: true };
    if (this.#options.clock.now() < this.#graceUntilMs) return { ready: true };
    return { ready: false, reason: `its runner is being replaced: ${this.#lastReason}` };
  }

  /** Whether its runners died so often that nothing should be sent to it. */
  get gaveUp(): boolean {
    return this.#verdict !== undefined;
  }

  async close(): Promise<void> {
    this.#cancelGrace?.();
    await Promise.all(this.slots.map((slot) => slot.close()));
  }

  #recordDeath(end: RunnerEnd): number {
    const { clock, log, onRestart } = this.#options;
    const { reason, crashed, requests } = end;
    const delayMs = this.#policy.recordDeath(clock.now(), end);
    this.#lastReason = reason;
    onRestart(reason);
    const verdict = this.#policy.verdict(clock.now());
    if (verdict !== undefined) {
      this.#verdict = verdict;
      log.error({ reason, retryInMs: delayMs }, 'the runners of the model die too often; it is not served');
    } else if (crashed && requests > 0) {
      log.warn({ reason, requests }, 'a runner crashed in a run; one of its requests is taken to be at fault');
      this.#startGrace();
    } else {
      this.#graceUntilMs = Number.NEGATIVE_INFINITY;
      log.warn({ reason, restartInMs: delayMs }, 'a runner died');
    }
    return delayMs;
  }

  #startGrace(): void {
    const { clock, onChange } = this.#options;
    this.#graceUntilMs = clock.now() + graceMs;
    this.#cancelGrace?.();
    this.#cancelGrace = clock.setTimer(graceMs + 1, onChange);
  }

  #change(): void {
    // A model that was given up is served again when a runner has come up and the deaths are a minute old.
    if (this.#verdict !== undefined && this.slots.some((slot) => slot.accepts)) {
      this.#verdict = this.#policy.verdict(this.#options.clock.now());
    }
    this.#options.onChange();
  }
}
