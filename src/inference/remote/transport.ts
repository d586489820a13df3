import type { Signature, Tensors } from '../../tensor/tensor.ts';
import type { JoinedTensor } from '../batcher/executor.ts';
import type { TraceContext } from '../trace-context.ts';

/** An input under its name; its parts are joined where they are written. */
export interface NamedInput extends JoinedTensor {
  readonly name: string;
}

/** A request to another server. */
export interface RemoteCall {
  readonly inputs: readonly NamedInput[];
  /** Names of the wanted outputs. */
  readonly outputs: readonly string[];
  readonly requestId: string | undefined;
  readonly trace: TraceContext | undefined;
  /** 1 is the highest; undefined for that of most requests. */
  readonly priority: number | undefined;
  /** How long an answer is still of use. */
  readonly timeoutMs: number;
  /** Most bytes of the tensors of the answer. */
  readonly mostBytes: number;
}

/**
 * Speaks the Open Inference Protocol with one server about one model. Every method rejects with a `RemoteFailure`, also
 * when its signal is aborted; then nothing of the call is under way any more.
 */
export interface RemoteTransport {
  /** What the model takes and gives, by the metadata of the server. */
  signature(signal: AbortSignal): Promise<Signature>;
  /** Resolves if the model is ready. */
  ready(signal: AbortSignal): Promise<void>;
  /** Outputs by name, as the server gave them: only that each is a tensor is known. */
  infer(call: RemoteCall, signal: AbortSignal): Promise<Tensors>;
  /** Ends what is under way, and its connections. */
  close(): void;
}
