import { sliceRows } from '../../tensor/rows.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Clock } from '../../timing/clock.ts';
import { disagreement } from './agreement.ts';
import type { Row } from './sample-rows.ts';

/** A run that several requests shared, or a part of a request that was cut. */
export interface SharedRun {
  readonly members: readonly { readonly inputs: readonly Tensor[]; readonly rows: number }[];
  /** Which outputs it gave, as indexes into the signature. */
  readonly outputIndexes: readonly number[];
  readonly outputs: readonly Tensor[];
  readonly rows: number;
}

export interface SpotChecksOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly outputNames: readonly string[];
  /** A number from 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Runs one row alone, after everything that a client waits for; rejects when it cannot. */
  readonly runAlone: (row: Row, outputIndexes: readonly number[]) => Promise<readonly Tensor[]>;
  /** What a row was alone and beside others, in a clause; undefined when it was the same. */
  readonly onChecked: (difference: string | undefined) => void;
}

/** How long after a load rows are checked often, in milliseconds. */
const firstMinutesMs = 2 * 60_000;
/** Shortest time from one check to the next in the first minutes, and later. */
const pausesMs = { first: 500, later: 10_000 };

/**
 * Runs a row of a shared run again, alone, and compares what came of it: requests have inputs that no trial thinks of. At
 * most one row each half second in the first two minutes, and one each ten seconds later.
 */
export class SpotChecks {
  readonly #options: SpotChecksOptions;
  readonly #startedMs: number;
  #nextMs: number;
  #underWay = false;

  constructor(options: SpotChecksOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
    this.#nextMs = this.#startedMs;
  }

  /** Is shown every shared run, before its requests are answered. The run's memory is not used after the call. */
  look(run: SharedRun): void {
    const nowMs = this.#options.clock.now();
    if (nowMs < this.#nextMs || this.#underWay) return;
    this.#nextMs = nowMs + (nowMs - this.#startedMs < firstMinutesMs ? pausesMs.first : pausesMs.later);
    const at = Math.floor(this.#options.random() * run.rows);
    const row = rowOf(run, at);
    if (row === undefined) return;
    void this.#check(
      row,
      run.outputIndexes,
      run.outputs.map((output) => copyOfRow(output, at)),
    );
  }

  async #check(row: Row, outputIndexes: readonly number[], shared: readonly Tensor[]): Promise<void> {
    this.#underWay = true;
    try {
      const alone = await this.#options.runAlone(row, outputIndexes);
      const names = outputIndexes.map((index) => this.#options.outputNames[index] ?? '');
      this.#options.onChecked(disagreement(names, [alone], shared, [0]));
    } catch {
      // The row could not be run: that shows nothing.
    } finally {
      this.#underWay = false;
    }
  }
}

/** Inputs of the row with that number among all rows of the run. */
function rowOf({ members }: SharedRun, at: number): Row | undefined {
  let before = 0;
  for (const { inputs, rows } of members) {
    if (at < before + rows) return inputs.map((input) => copyOfRow(input, at - before));
    before += rows;
  }
  return undefined;
}

function copyOfRow(tensor: Tensor, at: number): Tensor {
  const row = sliceRows(tensor, at, at + 1);
  return { ...row, data: row.data.slice() } as Tensor;
}
