/** How long a prediction spent in each part of the engine, in milliseconds. */
export interface Timings {
  /** Waiting for a runner. */
  readonly queueMs: number;
  /** Joining and splitting batches, and the way to the runner and back. */
  readonly batchMs: number;
  /** The run itself. */
  readonly inferMs: number;
  /** Rows that shared the run, over all requests of the batch; of several runs the most. */
  readonly batchRows: number;
}

export const noTimings: Timings = { queueMs: 0, batchMs: 0, inferMs: 0, batchRows: 0 };

/** Of work that begins when the work before it has ended. */
export function timingsInSequence(parts: readonly Timings[]): Timings {
  let { queueMs, batchMs, inferMs, batchRows } = noTimings;
  for (const part of parts) {
    queueMs += part.queueMs;
    batchMs += part.batchMs;
    inferMs += part.inferMs;
    batchRows = Math.max(batchRows, part.batchRows);
  }
  return { queueMs, batchMs, inferMs, batchRows };
}

/**
 * Of work that goes on side by side: that of the part which took longest. The whole waited for that one, and a sum over
 * all parts would be longer than the whole took.
 */
export function timingsInParallel(parts: readonly Timings[]): Timings {
  let longest = noTimings;
  let longestMs = -1;
  let batchRows = 0;
  for (const part of parts) {
    const totalMs = part.queueMs + part.batchMs + part.inferMs;
    batchRows = Math.max(batchRows, part.batchRows);
    if (totalMs <= longestMs) continue;
    longest = part;
    longestMs = totalMs;
  }
  return { ...longest, batchRows };
}
