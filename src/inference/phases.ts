/** How long a prediction spent in each phase of the engine, in milliseconds. */
export interface Phases {
  /** Waiting for a runner. */
  queueMs: number;
  /** Joining and splitting batches, and the way to the runner and back. */
  batchMs: number;
  /** The run itself. */
  inferMs: number;
  /** Rows that shared the run, over all requests of the batch. */
  batchRows: number;
}

export function newPhases(): Phases {
  return { queueMs: 0, batchMs: 0, inferMs: 0, batchRows: 0 };
}
