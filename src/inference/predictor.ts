import type { Signature, Tensors } from '../tensor/tensor.ts';
import type { Phases } from './phases.ts';
import type { Priority } from './priority.ts';
import type { TraceContext } from './trace-context.ts';

/** What a prediction knows about the request that it serves. */
export interface PredictContext {
  readonly requestId: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** The moment, on the {@link Clock} of the engine, after which an answer is worthless. */
  readonly deadlineMs: number;
  /** @default that of most requests; 0 stands for it too */
  readonly priority?: Priority | undefined;
  /** Names of the outputs that are wanted; all when absent. */
  readonly outputs?: readonly string[];
  /** The trace that the request belongs to. */
  readonly trace?: TraceContext | undefined;
  /** Filled by the engine as the prediction goes on. */
  readonly phases: Phases;
}

/**
 * The one interface of the engine. A loaded model, the batcher in front of it and every graph node implement it,
 * so any of them can stand in any other's place.
 */
export interface Predictor {
  readonly signature: Signature;
  /**
   * Runs the inputs, which must fit the signature, and gives the named outputs. Once it has settled, nothing reads the
   * memory of the inputs any more, and the outputs share none with them.
   *
   * @throws AppError `QUEUE_FULL`, `DEADLINE_UNREACHABLE`, `DEADLINE_EXCEEDED`, `RUNNER_DIED`, `CLIENT_GONE`,
   * `MODEL_REFUSED_INPUT`, `INPUT_KILLED_RUNNER` or `SHUTTING_DOWN`
   */
  predict(inputs: Tensors, context: PredictContext): Promise<Tensors>;
  /** Takes no more requests; resolves after the last prediction has settled. */
  close(): Promise<void>;
}
