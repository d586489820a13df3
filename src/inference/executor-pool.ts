import type { Executor } from './batcher/executor.ts';
import type { RunnerStats } from './engine.ts';
import type { Health } from './predictor.ts';

/** What runs the batches of one model: runner processes, or other servers. */
export interface ExecutorPool {
  readonly slots: readonly Executor[];
  readonly health: Health;
  /** Whether nothing should be sent to it. */
  readonly gaveUp: boolean;
  /** Of runner processes; none where others run the model. */
  readonly stats: readonly RunnerStats[];
  close(): Promise<void>;
}
