import type { Tensors, UnservableOutput } from '../tensor/tensor.ts';
import type { SessionOptions } from './runner/messages.ts';

export type { SessionOptions };

export interface BatchingOptions {
  /**
   * Whether requests share runs, and long ones are cut: never, always (the operator says that rows are independent), or
   * where a trial at load shows that it changes no answer.
   */
  readonly enabled: boolean | 'auto';
  /** Most rows of a run that requests share. */
  readonly maxSize: number;
  /** Most rows of a run that one request fills, at least {@link maxSize}; a longer request is cut. */
  readonly maxRequestRows: number;
  /** How long an idle runner waits for a fuller batch. */
  readonly maxDelayMs: number;
  /** Most rows that may wait; as many may wait in the background. */
  readonly maxQueueRows: number;
  /** Most bytes of tensors that may wait; as many may wait in the background. */
  readonly maxQueueBytes: number;
}

export interface ModelOptions {
  readonly name: string;
  readonly version: string;
  /** Path of the `.onnx` file. */
  readonly path: string;
  /** Whether the file is own code, whose operators cannot be seen. @default false */
  readonly isCode?: boolean;
  /** Outputs that cannot be served, as the signature lists them. @default none */
  readonly unservable?: readonly UnservableOutput[];
  /** External data that a runner reads instead of mapping it, by the locations that the file names. @default none */
  readonly readIntoMemory?: readonly string[];
  /** Called before and after each runner loads the file; what it rejects with is why the runner may not serve. */
  readonly checkFiles?: () => Promise<void>;
  /** Runner processes. */
  readonly instances: number;
  /** How far every other process goes before the runners, as the system counts it. @default as far as before this one */
  readonly nice?: number;
  readonly batching: BatchingOptions;
  readonly session: SessionOptions;
  /** Longest that a request may take, whatever its own deadline; a run beyond it is taken for a hang. */
  readonly timeoutMs: number;
  /** Longest that loading and warming up may take, each runner by itself. */
  readonly loadTimeoutMs: number;
  /** Resident memory above which a runner is drained and replaced. */
  readonly memoryLimitMb?: number;
  /** Most bytes that the outputs of a run may have for each request that shares it. @default no limit */
  readonly maxOutputBytes?: number;
  /** Requests that every new runner must answer before it serves. @default one made from the signature */
  readonly warmup?: readonly Tensors[];
}
