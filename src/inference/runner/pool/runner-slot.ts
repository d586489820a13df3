import type { Clock } from '../../../timing/clock.ts';
import type { Log } from '../../../timing/log.ts';
import type { Executor, RunOutcome, RunRequest } from '../../batcher/executor.ts';
import { DeadlineWatch } from '../../deadline-watch.ts';
import type { RunnerEnd } from '../runner-end.ts';
import type { RunnerProcess } from '../runner-process.ts';
import { hangAtMs } from './hang.ts';

export interface RunnerSlotOptions {
  readonly timeoutMs: number;
  /** Resident memory above which the process is replaced; infinity for no limit. */
  readonly memoryLimitBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Starts a process and warms it up, unless aborted; what it rejects with is the reason that it cannot serve. */
  readonly start: (signal: AbortSignal) => Promise<RunnerProcess>;
  /** Records a death; gives how long to wait before the next start. */
  readonly recordDeath: (end: RunnerEnd) => number;
  /** Called after a run that gave outputs. */
  readonly recordAnswer: () => void;
  /** Called whenever the slot begins or ends to accept runs. */
  readonly onChange: () => void;
}

export type SlotState = 'starting' | 'ready' | 'busy' | 'restarting' | 'closed';

export interface RunnerStats {
  readonly pid: number | undefined;
  /** `restarting`: its process died, and the next one is not up yet. */
  readonly state: SlotState;
  readonly rssBytes: number;
  readonly runs: number;
  readonly restarts: number;
}

/** Between two replacements for memory: a model that is over the limit as soon as it runs must not be replaced for ever. */
const replaceEveryMs = 60_000;
/** How long a process that should end may take before it is killed. */
const endGraceMs = 2_000;

/** One instance of a model: a runner process, and the next one when it dies or has grown too large. */
export class RunnerSlot implements Executor {
  readonly #options: RunnerSlotOptions;
  readonly #hangs: DeadlineWatch;
  #process: RunnerProcess | undefined;
  #state: SlotState = 'starting';
  #inFlight = 0;
  #runs = 0;
  #restarts = 0;
  #replacing = false;
  #replacedMs = Number.NEGATIVE_INFINITY;
  #cancelRestart: (() => void) | undefined;
  #starting: Promise<void> = Promise.resolve();
  /** Processes that answer what they were given and end. */
  readonly #ending = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: RunnerSlotOptions) {
    this.#options = options;
    this.#hangs = new DeadlineWatch(options.clock, () => this.#killIfHanging());
  }

  get accepts(): boolean {
    return this.#process !== undefined;
  }

  get stats(): RunnerStats {
    return {
      pid: this.#process?.pid,
      state: this.#state === 'ready' && this.#inFlight > 0 ? 'busy' : this.#state,
      rssBytes: this.#process?.rssBytes ?? 0,
      runs: this.#runs,
      restarts: this.#restarts,
    };
  }

  /** Starts the first process; rejects with what is wrong with it. */
  async start(): Promise<void> {
    const started = this.#options.start(this.#closing.signal).then((process) => this.#adopt(process));
    this.#starting = started.catch(() => {});
    await started;
  }

  async run(request: RunRequest): Promise<RunOutcome> {
    const process = this.#process;
    if (process === undefined) return { kind: 'not_started' };
    const { clock, timeoutMs } = this.#options;
    this.#inFlight += 1;
    this.#hangs.add(hangAtMs(clock.now(), request, timeoutMs));
    const outcome = await process.run(request);
    this.#inFlight -= 1;
    this.#runs += 1;
    if (outcome.kind === 'done') this.#options.recordAnswer();
    if (process.rssBytes > this.#options.memoryLimitBytes) this.#replace(process);
    return outcome;
  }

  /** Ends the process, which should have no runs left; resolves when it is gone. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#closing.abort();
    this.#cancelRestart?.();
    this.#hangs.stop();
    await this.#starting;
    const process = this.#process;
    this.#process = undefined;
    if (process !== undefined) this.#end(process, endGraceMs);
    await Promise.all(this.#ending);
  }

  /** Takes the process into service, in the place of the one there is. */
  #adopt(process: RunnerProcess): void {
    if (this.#state === 'closed') {
      process.kill('the model was closed');
      return;
    }
    this.#cancelRestart?.();
    const previous = this.#process;
    this.#process = process;
    this.#state = 'ready';
    if (previous !== undefined) this.#end(previous, this.#options.timeoutMs + endGraceMs);
    void process.exited.then((end) => {
      if (this.#process === process) this.#bury(end);
    });
    this.#options.onChange();
  }

  #bury(end: RunnerEnd): void {
    this.#process = undefined;
    this.#state = 'restarting';
    this.#scheduleRestart(end);
  }

  #scheduleRestart(end: RunnerEnd): void {
    const delayMs = this.#options.recordDeath(end);
    this.#cancelRestart = this.#options.clock.setTimer(delayMs, () => {
      this.#starting = this.#restart();
    });
    this.#options.onChange();
  }

  async #restart(): Promise<void> {
    this.#restarts += 1;
    try {
      this.#adopt(await this.#options.start(this.#closing.signal));
    } catch (error) {
      if (this.#state === 'closed') return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#scheduleRestart({ reason, crashed: false, requests: 0 });
    }
  }

  #killIfHanging(): number {
    const process = this.#process;
    const run = process?.currentRun;
    if (process === undefined || run === undefined) return Number.POSITIVE_INFINITY;
    const { clock, timeoutMs } = this.#options;
    const killAtMs = hangAtMs(run.startedMs, run.request, timeoutMs);
    if (clock.now() < killAtMs) return killAtMs;
    process.kill(`it was killed because a run hung for ${Math.round(clock.now() - run.startedMs)} ms`);
    return Number.POSITIVE_INFINITY;
  }

  /** Puts a new process in the place of one that has grown too large, which still answers what it was given. */
  #replace(grown: RunnerProcess): void {
    const { clock, log, memoryLimitBytes } = this.#options;
    if (this.#replacing || grown !== this.#process || clock.now() - this.#replacedMs < replaceEveryMs) return;
    this.#replacing = true;
    this.#replacedMs = clock.now();
    log.warn(
      { runner: grown.pid, rssBytes: grown.rssBytes, memoryLimitBytes },
      'a runner is over its memory limit and is replaced',
    );
    this.#starting = this.#swap();
  }

  async #swap(): Promise<void> {
    try {
      const fresh = await this.#options.start(this.#closing.signal);
      this.#restarts += 1;
      this.#adopt(fresh);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a runner over its memory limit could not be replaced');
    } finally {
      this.#replacing = false;
    }
  }

  #end(process: RunnerProcess, graceMs: number): void {
    process.end();
    const cancel = this.#options.clock.setTimer(graceMs, () => process.kill('it did not end in time'));
    const ended = process.exited.then(() => {
      cancel();
      this.#ending.delete(ended);
    });
    this.#ending.add(ended);
  }
}
