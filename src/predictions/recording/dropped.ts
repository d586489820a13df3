/**
 * Why a prediction that should have been kept was not.
 *
 * - `rate`: above `PREDICTIONS_MAX_PER_SECOND`
 * - `buffer_full`: the database did not keep up, or is away
 * - `refused`: the database does not take them
 * - `shutdown`: they could not be written before the end
 */
export const dropReasons = ['rate', 'buffer_full', 'refused', 'shutdown'] as const;

export type DropReason = (typeof dropReasons)[number];

/** Counts what was not kept, and what was, since the start of the program. */
export class PredictionCounts {
  written = 0;
  readonly #dropped = new Map<DropReason, number>(dropReasons.map((reason) => [reason, 0]));

  drop(reason: DropReason, rows: number): void {
    this.#dropped.set(reason, this.dropped(reason) + rows);
  }

  dropped(reason: DropReason): number {
    return this.#dropped.get(reason) ?? 0;
  }

  /** Every reason with its count. */
  get byReason(): Readonly<Record<DropReason, number>> {
    const counts: Partial<Record<DropReason, number>> = Object.fromEntries(this.#dropped);
    return { rate: 0, buffer_full: 0, refused: 0, shutdown: 0, ...counts };
  }
}
