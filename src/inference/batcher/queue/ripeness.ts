import { perRunOverheadMs } from '../cost/batch-gain.ts';
import type { CostModel } from '../cost/cost-model.ts';
import type { RequestGroup } from './request-group.ts';

/** Share of a run that joining must save for waiting to be worth it. */
const worthwhileShare = 0.1;

/** When an idle runner may take the group, although more requests could still join; 0 for at once. */
export function ripeAtMs(
  group: RequestGroup,
  cost: CostModel,
  { maxRows, maxDelayMs }: { maxRows: number; maxDelayMs: number },
): number {
  const { first } = group;
  if (maxDelayMs === 0 || first === undefined || !group.joins || group.rows >= maxRows) return 0;
  const latestStartMs = first.deadlineMs - cost.estimateMs(group.rows) - cost.overheadMs;
  return Math.min(group.oldestMs + maxDelayMs, latestStartMs);
}

/**
 * Whether a busy runner may be given the group as its next batch, before it is done with the present one: then it goes
 * from run to run without waiting for this process. That is right when the batch would not get better by waiting,
 * because it is full or cannot be joined, or because the run takes so long that what joining saves hardly counts.
 */
export function gainsNothingByWaiting(group: RequestGroup, cost: CostModel, maxRows: number): boolean {
  const { first } = group;
  if (first === undefined || !group.joins) return true;
  if (group.rows >= maxRows) return true;
  const savedMs = (cost.line?.perRunMs ?? 0) + perRunOverheadMs;
  return savedMs < worthwhileShare * cost.estimateMs(group.rows);
}
