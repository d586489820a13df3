import type { Executor, RunOutcome, RunRequest } from '../../../src/inference/batcher/executor.ts';
import type { VirtualClock } from '../../virtual-clock.ts';

export interface VirtualRunnerOptions {
  readonly perRowMs: number;
  readonly perRunMs: number;
  /** Values that make the model refuse a run. */
  readonly poison?: ReadonlySet<number>;
  /** Values that end the runner in the middle of a run. */
  readonly deadly?: ReadonlySet<number>;
  /** Values on which the runner crashes. */
  readonly crashing?: ReadonlySet<number>;
  /** Values that make the model give a row too many. */
  readonly lies?: ReadonlySet<number>;
  /** How long a runner that ended takes to come back. */
  readonly restartMs?: number;
}

/** What a run held, in order. */
export interface RecordedRun {
  readonly rows: number;
  readonly values: readonly number[];
  readonly sentMs: number;
  startedMs: number;
  endedMs: number;
}

/**
 * A runner on the virtual clock whose model doubles its single input. As a process does, it runs what it is given one
 * after the other, and abandons what it holds when it dies.
 */
export class VirtualRunner implements Executor {
  readonly runs: RecordedRun[] = [];
  onAccepts: () => void = () => {};
  readonly #clock: VirtualClock;
  readonly #options: VirtualRunnerOptions;
  readonly #waiting: { request: RunRequest; run: RecordedRun; settle: (outcome: RunOutcome) => void }[] = [];
  #accepts = true;
  #busy = false;

  constructor(clock: VirtualClock, options: VirtualRunnerOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get accepts(): boolean {
    return this.#accepts;
  }

  run(request: RunRequest): Promise<RunOutcome> {
    const values = request.inputs.flatMap(({ parts }) => parts.flatMap(({ data }) => [...data].map(Number)));
    const run = { rows: request.rows, values, sentMs: this.#clock.now(), startedMs: 0, endedMs: Number.NaN };
    return new Promise((settle) => {
      this.#waiting.push({ request, run, settle });
      this.#begin();
    });
  }

  #begin(): void {
    const next = this.#waiting[0];
    if (next === undefined || this.#busy) return;
    this.#busy = true;
    next.run.startedMs = this.#clock.now();
    this.runs.push(next.run);
    const runMs = this.#options.perRunMs + this.#options.perRowMs * next.run.rows;
    this.#clock.setTimer(runMs, () => {
      this.#busy = false;
      next.run.endedMs = this.#clock.now();
      const { deadly, crashing } = this.#options;
      const crashed = next.run.values.some((value) => crashing?.has(value));
      if (crashed || next.run.values.some((value) => deadly?.has(value))) {
        this.#die(crashed);
        return;
      }
      this.#waiting.shift();
      next.settle(this.#outcome(next.run, runMs));
      this.#begin();
    });
  }

  #outcome({ values, startedMs }: RecordedRun, runMs: number): RunOutcome {
    const bad = values.find((value) => this.#options.poison?.has(value));
    if (bad !== undefined) return { kind: 'refused', message: `${bad} is poison` };
    const lies = values.some((value) => this.#options.lies?.has(value));
    const data = Float32Array.from(lies ? [...values, 0] : values, (value) => 2 * value);
    return { kind: 'done', outputs: [{ datatype: 'FP32', shape: [data.length], data }], startedMs, runMs };
  }

  #die(crashed: boolean): void {
    this.#accepts = false;
    const [current, ...others] = this.#waiting.splice(0);
    current?.settle({ kind: 'died', reason: 'deadly input', crashed });
    for (const { settle } of others) settle({ kind: 'not_started' });
    this.#clock.setTimer(this.#options.restartMs ?? 0, () => {
      this.#accepts = true;
      this.onAccepts();
    });
  }
}
