import type { Tensors } from '../tensor/tensor.ts';
import type { CostLine } from './batcher/cost-model.ts';
import type { Independence } from './independence/independence.ts';
import type { Predictor } from './predictor.ts';
import type { ModelState } from './runner/runner-pool.ts';
import type { RunnerStats } from './runner/runner-slot.ts';

export type { ModelState, RunnerStats };

export interface ModelStats {
  readonly runners: readonly RunnerStats[];
  /** Rows that wait, but for those in the background. */
  readonly queueRows: number;
  readonly queueBytes: number;
  /** Rows that wait in the background. */
  readonly backgroundRows: number;
  /** How long the oldest request that is not in the background has waited; 0 when none waits. */
  readonly oldestWaitMs: number;
  /** The learned cost of a run, `perRowMs · rows + perRunMs`; undefined until a run is known. */
  readonly cost: CostLine | undefined;
}

export interface LoadedModel extends Predictor {
  /** Whether requests share runs, and why; it may end while the model serves. */
  readonly independence: Independence;
  /** A request that the model has taken at its load; undefined when it took none that was made up. */
  readonly example: Tensors | undefined;
  /** Threads inside an operator. */
  readonly intraOpThreads: number;
  state(): ModelState;
  stats(): ModelStats;
  /** Calls the listener whenever {@link LoadedModel.state} has changed; the returned function ends that. */
  whenStateChanges(listener: (state: ModelState) => void): () => void;
}
