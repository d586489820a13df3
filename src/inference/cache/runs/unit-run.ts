import type { AppError } from '../../../errors.ts';
import type { Prediction } from '../../predictor.ts';
import type { PackedAnswer } from '../packed-answer.ts';

/** What a run has come to, for all who wait for it. */
export type RunEnd = AnsweredRun | FailedRun | IndivisibleRun;

export interface AnsweredRun {
  readonly kind: 'answered';
  /** For each unit its answer. */
  readonly answers: readonly PackedAnswer[];
  /** What the predictor gave, for the one who began the run alone; undefined where it was not asked. */
  readonly prediction: Prediction | undefined;
  /** How long each unit is still kept that another server had, in milliseconds. */
  readonly sharedTtlMs: readonly number[];
  /** How many units are kept from now on. */
  readonly stored: number;
}

export interface FailedRun {
  readonly kind: 'failed';
  readonly error: AppError;
}

/** The answer of the predictor cannot be divided into units, so that all but the one who began the run ask for themselves. */
export interface IndivisibleRun {
  readonly kind: 'indivisible';
  readonly prediction: Prediction;
}

/** A run of units that requests wait for; it is given up when none does any more. */
export class UnitRun {
  /** How urgent it is; see `levelOf`. */
  readonly level: number;
  /** By key, the index among its units. */
  readonly units: ReadonlyMap<string, number>;
  readonly end: Promise<RunEnd>;
  readonly #controller = new AbortController();
  readonly #onEnd: (run: UnitRun) => void;
  #waiting = 0;
  #ended = false;
  /** Whether the one who began it, and whose memory it reads, does not wait any more. */
  isOrphan = false;

  /**
   * @param start begins the work; it must not reject
   * @param onEnd called once it has ended, or nobody waits any more
   */
  constructor(
    { level, units }: Pick<UnitRun, 'level' | 'units'>,
    start: (signal: AbortSignal) => Promise<RunEnd>,
    onEnd: (run: UnitRun) => void,
  ) {
    this.level = level;
    this.units = units;
    this.#onEnd = onEnd;
    this.end = this.#follow(start(this.#controller.signal));
  }

  /** @returns to be called when who joined does not wait any more; further calls do nothing */
  join(): () => void {
    this.#waiting += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#ended) this.giveUp();
    };
  }

  giveUp(): void {
    this.#controller.abort();
    this.#onEnd(this);
  }

  async #follow(end: Promise<RunEnd>): Promise<RunEnd> {
    const ended = await end;
    this.#ended = true;
    this.#onEnd(this);
    return ended;
  }
}
