/** What a run costs outside of the runner, in the process that joins, sends and splits it. */
export const perRunOverheadMs = 0.2;
/** A larger batch is worth its wait only if a row becomes cheaper by more than this share. */
const worthwhileShare = 0.03;
/** Runs of about the same size that must be known before that size is compared with others. */
const evidenceRuns = 3;
/** Runs of about the same size that are remembered. */
const rememberedRuns = 7;
/** Runs for which a smaller size is tried at most: there may be too few requests, or too urgent ones, to fill it. */
const trialRuns = 8;
/** Runs after which a size that was not seen any more is forgotten, and tried again. */
const forgottenAfterRuns = 1_000;

/** Runs of up to `rows` rows, and more than half as many. */
class SizeClass {
  readonly rows: number;
  readonly triedAtRun: number;
  lastRun: number;
  /** Median of the recent runs; undefined as long as there are too few. */
  perRowMs: number | undefined;
  readonly #recentMs: number[] = [];

  constructor(rows: number, run: number) {
    this.rows = rows;
    this.triedAtRun = run;
    this.lastRun = run;
  }

  record(perRowMs: number, run: number): void {
    this.lastRun = run;
    this.#recentMs.push(perRowMs);
    if (this.#recentMs.length > rememberedRuns) this.#recentMs.shift();
    if (this.#recentMs.length < evidenceRuns) return;
    this.perRowMs = this.#recentMs.toSorted((a, b) => a - b)[this.#recentMs.length >> 1];
  }
}

/** A run that was made. */
export interface MeasuredRun {
  readonly rows: number;
  readonly runMs: number;
  readonly bytesPerRow: number;
}

/**
 * Learns up to which size batching makes a row cheaper. Many models gain until the batch is full. One that is as fast
 * row by row gains nothing but latency, and one whose intermediate results outgrow the processor's cache even loses.
 *
 * Run times are gathered by powers of two of their rows. Sizes that are not seen any more are forgotten after a while
 * and tried once more: the model, or the load on the machine, may have changed.
 */
export class BatchGain {
  readonly #classes = new Map<number, SizeClass>();
  #bytesPerRow = 0;
  #runs = 0;
  #usefulRows = Number.POSITIVE_INFINITY;

  /** Takes note of a run of a model that takes at most `maxRows`. What was learned of rows of another size is forgotten. */
  record({ rows, runMs, bytesPerRow }: MeasuredRun, maxRows: number): void {
    if (bytesPerRow !== this.#bytesPerRow) this.#classes.clear();
    this.#bytesPerRow = bytesPerRow;
    this.#runs += 1;
    this.#class(2 ** Math.ceil(Math.log2(rows))).record((runMs + perRunOverheadMs) / rows, this.#runs);
    this.#usefulRows = this.#decide(maxRows);
  }

  /** How many rows the next run should take, at most `maxRows`. */
  usefulRows(maxRows: number): number {
    return Math.min(maxRows, this.#usefulRows);
  }

  /**
   * The smallest size at which a row costs hardly more than at best. It is found by halves: the largest size is tried
   * first, and half of what is useful as long as that is not known.
   */
  #decide(maxRows: number): number {
    const costs = this.#costs();
    const largest = Math.max(0, ...costs.keys());
    if (largest < maxRows) return maxRows;
    const dearestMs = Math.min(...costs.values()) * (1 + worthwhileShare);
    let useful = largest;
    for (const [rows, perRowMs] of costs) if (perRowMs <= dearestMs) useful = Math.min(useful, rows);
    return this.#shouldTry(useful / 2, costs) ? useful / 2 : useful;
  }

  #shouldTry(rows: number, costs: ReadonlyMap<number, number>): boolean {
    return rows >= 1 && !costs.has(rows) && this.#runs - this.#class(rows).triedAtRun < trialRuns;
  }

  /** The cost of a row, by the size of the runs that are known well enough. */
  #costs(): Map<number, number> {
    const costs = new Map<number, number>();
    for (const [rows, { lastRun, perRowMs }] of this.#classes) {
      if (this.#runs - lastRun > forgottenAfterRuns) this.#classes.delete(rows);
      else if (perRowMs !== undefined) costs.set(rows, perRowMs);
    }
    return costs;
  }

  #class(rows: number): SizeClass {
    const known = this.#classes.get(rows) ?? new SizeClass(rows, this.#runs);
    this.#classes.set(rows, known);
    return known;
  }
}
