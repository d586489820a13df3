import { AppError } from '../../errors.ts';
import type { ServedModel } from '../../serving/served-model.ts';

/** More columns than any table has: named ones, and others. */
const mostColumns = { named: 100_000, all: 1_000_000 };

/** Refuses tables that are too large before anything is made of them. */
export class FrameBounds {
  readonly #model: string;
  /** Undefined where dimension 0 does not count rows. */
  readonly #maxRows: number | undefined;
  readonly #maxCells: number;

  /** @param maxCells the setting TABLE_LIMIT_CELLS */
  constructor({ name, manifest, independentRows }: ServedModel, maxCells: number) {
    this.#model = name;
    this.#maxRows = independentRows ? manifest.batching.maxQueueRows : undefined;
    this.#maxCells = maxCells;
  }

  /**
   * @param columns those that are known so far
   * @throws AppError `BODY_TOO_LARGE` that names the setting
   */
  check(rows: number, columns: number): void {
    if (this.#maxRows !== undefined && rows > this.#maxRows) {
      throw new AppError('BODY_TOO_LARGE', {
        message: `The model ${this.#model} takes at most ${this.#maxRows} rows (batching.maxQueueRows) at once; the data frame has more`,
        expected: this.#maxRows,
      });
    }
    if (columns > mostColumns.all) {
      const message = `The data frame is too large: at most ${mostColumns.all} columns are allowed`;
      throw new AppError('BODY_TOO_LARGE', { message, expected: mostColumns.all });
    }
    if (rows * columns > this.#maxCells) {
      throw new AppError('BODY_TOO_LARGE', {
        message: `The data frame is too large: at most ${this.#maxCells} cells are allowed (TABLE_LIMIT_CELLS), rows times columns`,
        expected: this.#maxCells,
      });
    }
  }

  /** @throws AppError `BODY_TOO_LARGE` */
  checkNames(columns: number): void {
    if (columns <= mostColumns.named) return;
    const message = `The data frame is too large: at most ${mostColumns.named} columns may have names`;
    throw new AppError('BODY_TOO_LARGE', { message, expected: mostColumns.named });
  }
}
