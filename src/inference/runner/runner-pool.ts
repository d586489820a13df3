import type { Clock } from '../clock.ts';
import type { EngineLog } from '../engine-log.ts';
import { RestartPolicy } from './restart-policy.ts';
import type { RunnerProcess } from './runner-process.ts';
import { RunnerSlot, type RunnerStats } from './runner-slot.ts';

export type ModelState = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface RunnerPoolOptions {
  readonly instances: number;
  readonly timeoutMs: number;
  readonly memoryLimitBytes: number;
  readonly clock: Clock;
  readonly log: EngineLog;
  /** Starts a process and warms it up. */
  readonly start: (signal: AbortSignal) => Promise<RunnerProcess>;
  readonly onRestart: (reason: string) => void;
  /** Called whenever a runner begins or ends to accept runs, or the state may have changed. */
  readonly onChange: () => void;
}

/** The runners of one model. */
export class RunnerPool {
  readonly slots: readonly RunnerSlot[];
  readonly #options: RunnerPoolOptions;
  readonly #policy = new RestartPolicy();
  #lastReason = '';
  #gaveUp = false;

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
          recordDeath: (reason) => this.#recordDeath(reason),
          onChange: () => this.#change(),
        }),
    );
  }

  get stats(): RunnerStats[] {
    return this.slots.map((slot) => slot.stats);
  }

  /** Ready while a runner serves, unless the runners die so often that the model was given up. */
  get state(): ModelState {
    if (this.#gaveUp) return { ready: false, reason: `its runners died five times in a minute: ${this.#lastReason}` };
    if (this.slots.some((slot) => slot.accepts)) return { ready: true };
    return { ready: false, reason: `its runner is being replaced: ${this.#lastReason}` };
  }

  /** Whether its runners died so often that nothing should be sent to it. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  async close(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.close()));
  }

  #recordDeath(reason: string): number {
    const { clock, log, onRestart } = this.#options;
    const delayMs = this.#policy.recordDeath(clock.now());
    this.#lastReason = reason;
    onRestart(reason);
    if (this.#policy.hasGivenUp(clock.now())) {
      this.#gaveUp = true;
      log.error({ reason, retryInMs: delayMs }, 'the runners of the model die too often; it is not served');
    } else {
      log.warn({ reason, restartInMs: delayMs }, 'a runner died');
    }
    return delayMs;
  }

  #change(): void {
    // A model that was given up is served again when a runner has come up and the deaths are a minute old.
    if (this.#gaveUp && this.slots.some((slot) => slot.accepts)) {
      this.#gaveUp = this.#policy.hasGivenUp(this.#options.clock.now());
    }
    this.#options.onChange();
  }
}
