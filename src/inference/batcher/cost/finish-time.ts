import type { CostLine } from './cost-model.ts';

/** What a new request finds before it. */
export interface Load {
  readonly nowMs: number;
  /** When each runner will have done what it was given. Empty while none is there. */
  readonly freeAtMs: readonly number[];
  readonly cost: CostLine | undefined;
  /** What a run takes beside the run itself: the way to the runner and back. */
  readonly overheadMs: number;
  /** Rows that wait, those of the new request among them. */
  readonly rows: number;
  /** Runs that all of them need. */
  readonly runs: number;
  /** Rows of the run that the new request will be part of. */
  readonly ownRunRows: number;
  /** Share of the predicted time that is added to it. */
  readonly margin: number;
}

/**
 * When the new request will be answered, if what waits is run before it and with it. Undefined while no runner is
 * there or no run is known: then nothing can be said.
 */
export function predictFinishMs(load: Load): number | undefined {
  const { cost, freeAtMs, nowMs } = load;
  if (freeAtMs.length === 0 || cost === undefined) return undefined;
  const perRunMs = cost.perRunMs + load.overheadMs;
  const allMs = cost.perRowMs * load.rows + perRunMs * load.runs;
  const ownMs = cost.perRowMs * load.ownRunRows + perRunMs;
  const waitMs = Math.max(nowMs, Math.min(...freeAtMs)) - nowMs;
  const aheadMs = Math.max(0, allMs - ownMs) / freeAtMs.length;
  return nowMs + (waitMs + aheadMs + ownMs) * (1 + load.margin);
}
