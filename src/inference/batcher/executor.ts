import type { AppError } from '../../errors.ts';
import type { DataType } from '../../tensor/data-type.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { TraceContext } from '../trace-context.ts';

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
  /** Whose requests share it. @default nobody's */
  readonly callers?: readonly RunCaller[];
}

/** What a run may have to tell of a request that shares it. */
export interface RunCaller {
  readonly requestId?: string | undefined;
  readonly trace?: TraceContext | undefined;
  /** How urgent it is, as `levelOf` gives it. */
  readonly level: number;
  /** Aborted when the client no longer waits; an `AbortSignal` where one can. */
  readonly signal: { readonly aborted: boolean };
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
  /** It could not be run, and no request of it is to blame. */
  | { readonly kind: 'failed'; readonly error: AppError }
  /** The runner ended before it began the run, which may be given to another. */
  | { readonly kind: 'not_started' };

/** Whatever runs batches, one after the other: a runner process, one request at a time to another server, or a stand-in. */
export interface Executor {
  /** False while it starts, drains or is gone. */
  readonly accepts: boolean;
  /** Whether the next run may be given to it while one is under way. @default true */
  readonly holdsNext?: boolean;
  run(request: RunRequest): Promise<RunOutcome>;
}
