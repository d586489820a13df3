import type { RunRequest } from '../../batcher/executor.ts';

/** Shortest time that a run is left alone, whatever its deadlines. */
const minGraceMs = 1_000;
/** How many times longer than expected a run may take before it is suspect. */
const patience = 10;

/**
 * When a run that began at `startedMs` is taken for a hang, and its runner is killed.
 *
 * A deadline alone proves nothing: a client with a short one must not cost a runner that is merely busy. So a run is a
 * hang when every deadline of its batch has passed and it also takes far longer than
 * runs of its size do; and in any case when it has taken the longest that the model allows a request (`timeoutMs`),
 * for then no answer of it could be of worth to anyone.
 */
export function hangAtMs(startedMs: number, request: RunRequest, timeoutMs: number): number {
  const graceMs = Math.max(minGraceMs, patience * request.expectedMs);
  const waitedForMs = request.latestDeadlineMs - startedMs;
  return startedMs + Math.min(timeoutMs, Math.max(graceMs, waitedForMs));
}
