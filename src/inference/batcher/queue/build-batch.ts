import type { CostModel } from '../cost/cost-model.ts';
import type { Pending } from '../pending.ts';
import type { RequestGroup } from './request-group.ts';
import type { RequestQueue } from './request-queue.ts';

/**
 * Bytes of inputs beyond which a run takes no further request: longer batches of large tensors gain nothing, and
 * joining them would hold up the event loop.
 */
const maxBatchBytes = 4 * 1024 * 1024;

/** Most rows of a run for requests of that size, at least one. */
export function rowsThatFit(maxRows: number, bytesPerRow: number): number {
  return Math.max(1, Math.min(maxRows, Math.floor(maxBatchBytes / Math.max(1, bytesPerRow))));
}

export interface BatchLimits {
  readonly maxRows: number;
  /** When the run could begin, with the time that the way to the runner and back takes added. */
  readonly startMs: number;
  readonly cost: CostModel;
  /** Longest that the run may take for more than one request in it, as far as is known. @default no limit */
  readonly longestMs?: number;
  /** Answers a request that need not run any more, and says whether it did. */
  readonly dropped: (pending: Pending) => boolean;
}

/**
 * Takes the requests of the next run from the group: in their order, whole, as many rows as fit, and no request more that
 * would make the most urgent one late. A request that is late even if it runs alone does not hold the others back.
 */
export function buildBatch(queue: RequestQueue, group: RequestGroup, limits: BatchLimits): Pending[] {
  const first = firstAlive(queue, group, limits);
  if (first === undefined) return [];
  queue.shift(group);
  const batch = [first];
  if (group.joins) fillBatch(batch, queue, group, limits);
  return batch;
}

/** Adds what fits of the group to the batch, as {@link buildBatch} does. */
export function fillBatch(batch: Pending[], queue: RequestQueue, group: RequestGroup, limits: BatchLimits): void {
  const { longestMs = Number.POSITIVE_INFINITY } = limits;
  let rows = 0;
  let bytes = 0;
  let mostUrgentMs = Number.POSITIVE_INFINITY;
  for (const member of batch) {
    rows += member.rows;
    bytes += member.bytes;
    mostUrgentMs = Math.min(mostUrgentMs, urgencyMs(member, limits));
  }
  for (let next = firstAlive(queue, group, limits); next !== undefined; next = firstAlive(queue, group, limits)) {
    rows += next.rows;
    bytes += next.bytes;
    if (rows > limits.maxRows || bytes > maxBatchBytes) break;
    mostUrgentMs = Math.min(mostUrgentMs, urgencyMs(next, limits));
    const runMs = limits.cost.estimateMs(rows);
    if (runMs > longestMs || limits.startMs + runMs >= mostUrgentMs) break;
    queue.shift(group);
    batch.push(next);
  }
}

/** The request of the group whose turn it is, after those that need no run any more are dropped. */
export function firstAlive(queue: RequestQueue, group: RequestGroup, { dropped }: BatchLimits): Pending | undefined {
  let first = group.first;
  while (first !== undefined && dropped(first)) {
    queue.shift(group);
    first = group.first;
  }
  return first;
}

/** The deadline that a batch must respect for this member: none if even a run of its own would be late. */
function urgencyMs(pending: Pending, { startMs, cost }: BatchLimits): number {
  const aloneMs = startMs + cost.estimateMs(pending.rows);
  return aloneMs >= pending.deadlineMs ? Number.POSITIVE_INFINITY : pending.deadlineMs;
}
