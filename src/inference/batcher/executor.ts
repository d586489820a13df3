import type { DataType } from '../../tensor/data-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** One input of a run: the rows of every request of the batch, in order. They are joined where they are sent. */
export interface JoinedTensor {
  readonly datatype: DataType;
  /** The shape of all parts together. */
  readonly shape: readonly number[];
  readonly parts: readonly Tensor[];
}

export interface RunRequest {
  /** In the order of the signature. */
  readonly inputs: readonly JoinedTensor[];
  /** Which outputs are wanted, as indexes into the signature. */
  readonly outputs: readonly number[];
  readonly rows: number;
  /** Requests that share it; 0 for a run that no request asked for, such as a warm-up. */
  readonly requests: number;
  /** When the last request of the batch stops waiting. */
  readonly latestDeadlineMs: number;
  /** How long the run should take, as far as is known. */
  readonly expectedMs: number;
}

/** How a run ended. A run never throws. */
export type RunOutcome =
  | {
      readonly kind: 'done';
      /** In the order of {@link RunRequest.outputs}. */
      readonly outputs: readonly Tensor[];
      /** When the runner was free to begin, on the clock of the engine. */
      readonly startedMs: number;
      readonly runMs: number;
    }
  /** The model threw: the runner is well, the input is not. */
  | {
      readonly kind: 'refused';
      readonly message: string;
      /** Set when the model has run, and its outputs are too large to be sent. */
      readonly tooLarge?: true;
    }
  /** The runner ended during the run; `crashed` when native code ended it, and nothing from outside. */
  | { readonly kind: 'died'; readonly reason: string; readonly crashed: boolean }
  /** The runner ended before it began the run, which may be given to another. */
  | { readonly kind: 'not_started' };

/** Whatever runs batches, one after the other: a runner process, or a stand-in on a virtual clock. */
export interface Executor {
  /** False while it starts, drains or is gone. */
  readonly accepts: boolean;
  run(request: RunRequest): Promise<RunOutcome>;
}
