import type { CostModel } from '../cost/cost-model.ts';
import { isBackground, type Pending } from '../pending.ts';

/** Share of their own time that background requests may add to the run of those whose rows they join. */
const joiningShare = 0.1;
/** How many times as long as a run of one row a run of background requests alone may take. */
const longestRun = 2;

/**
 * How long a run of these requests may take when background requests join it: hardly longer than without them. That
 * leaves no room where every row costs what the first one did, and all there is where the run itself costs most.
 */
export function longestJoinedMs(batch: readonly Pending[], cost: CostModel): number {
  const ownMs = cost.estimateMs(batch.reduce((sum, { rows }) => sum + rows, 0));
  return ownMs + joiningShare * (ownMs + cost.overheadMs);
}

/**
 * How long a run of background requests alone may take: for so long it can hold up a request that comes meanwhile. A run
 * can be no shorter than that of its first request.
 */
export function longestAloneMs(cost: CostModel): number {
  return longestRun * (cost.estimateMs(1) + cost.overheadMs) - cost.overheadMs;
}

/** The online members of a batch, and the background ones, as two batches. */
export function separateBackground(members: readonly Pending[]): readonly (readonly Pending[])[] {
  const online = members.filter((member) => !isBackground(member));
  return [online, members.filter(isBackground)].filter((batch) => batch.length > 0);
}
