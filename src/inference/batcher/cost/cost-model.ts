/** Run time as a line: `perRowMs · rows + perRunMs`. */
export interface CostLine {
  readonly perRowMs: number;
  readonly perRunMs: number;
}

interface Run {
  readonly rows: number;
  readonly runMs: number;
}

/** Runs that the line is fitted to. */
const windowRuns = 64;
/** Runs between two fits, once the window is full. */
const refitEveryRuns = 8;

/** Weight of the latest run in the mean of the overhead. */
const overheadWeight = 0.1;

/** Learns what a run costs from the recent ones, so that one that was held up by chance hardly matters. */
export class CostModel {
  readonly #runs: Run[] = [];
  #overheadMs = 0;
  #next = 0;
  #sinceFit = 0;
  #line: CostLine | undefined;

  /** Undefined until the first run is known. */
  get line(): CostLine | undefined {
    return this.#line;
  }

  /** What a run takes beside itself, on the way to the runner and back. */
  get overheadMs(): number {
    return this.#overheadMs;
  }

  record(rows: number, runMs: number, overheadMs: number): void {
    this.#overheadMs += overheadWeight * (overheadMs - this.#overheadMs);
    this.#runs[this.#next] = { rows, runMs };
    this.#next = (this.#next + 1) % windowRuns;
    this.#sinceFit += 1;
    if (this.#runs.length < windowRuns || this.#sinceFit >= refitEveryRuns) {
      this.#line = fitLine(this.#runs, this.#line);
      this.#sinceFit = 0;
    }
  }

  /** How long a run of that many rows should take; 0 as long as nothing is known. */
  estimateMs(rows: number): number {
    return this.#line === undefined ? 0 : this.#line.perRowMs * rows + this.#line.perRunMs;
  }
}

/**
 * Theil's incomplete method: the slope is the median of the slopes between the k-th smallest run of the lower half and
 * the k-th of the upper half, the intercept the median of what is left. Unlike least squares it is not moved by a few
 * outliers. Both are kept from being negative. When all runs have the same rows the slope cannot be seen: the
 * previous one stays.
 *
 * Source: H. Theil, A rank-invariant method of linear and polynomial regression analysis (1950).
 */
export function fitLine(runs: readonly Run[], previous?: CostLine): CostLine {
  const byRows = runs.toSorted((a, b) => a.rows - b.rows);
  const half = byRows.length >> 1;
  const slopes: number[] = [];
  for (let i = 0; i < half; i += 1) {
    const low = byRows[i];
    const high = byRows[byRows.length - half + i];
    if (low === undefined || high === undefined || low.rows === high.rows) continue;
    slopes.push((high.runMs - low.runMs) / (high.rows - low.rows));
  }
  const slope = slopes.length > 0 ? median(slopes) : (previous?.perRowMs ?? 0);
  const steepest = median(runs.map((run) => run.runMs / run.rows));
  const perRowMs = Math.min(Math.max(0, slope), steepest);
  const perRunMs = Math.max(0, median(runs.map((run) => run.runMs - perRowMs * run.rows)));
  return { perRowMs, perRunMs };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
