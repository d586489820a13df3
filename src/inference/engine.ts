import type { Tensors } from '../tensor/tensor.ts';
import type { CostLine } from './batcher/cost/cost-model.ts';
import type { Independence } from './independence/independence.ts';
import type { Health } from './predictor.ts';
import type { RunnerStats } from './runner/pool/runner-slot.ts';

export type { RunnerStats };

export interface EngineStats {
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

/** What only a predictor has that stands behind a batcher: one of runner processes, or of another server. */
export interface Engine {
  /** Whether requests share runs, and why; it may end while the model serves. */
  readonly independence: Independence;
  /** A request that the model has taken at its load; undefined when it took none that was made up. */
  readonly example: Tensors | undefined;
  /** Threads inside an operator; undefined where another server has them. */
  readonly intraOpThreads: number | undefined;
  stats(): EngineStats;
  /** The learned cost of a run, as in {@link stats}. */
  readonly cost: CostLine | undefined;
  /** Calls the listener whenever the health of the predictor has changed; the returned function ends that. */
  whenHealthChanges(listener: (health: Health) => void): () => void;
}
