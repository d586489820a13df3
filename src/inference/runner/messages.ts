import type { TensorData } from '../../tensor/data-type.ts';

/** Which model a runner holds, and how to run it; told first, and again to run the same model in another way. */
export interface LoadMessage {
  readonly path: string;
  /** Locations of external data that is read, and not mapped. */
  readonly readIntoMemory: readonly string[];
  /** Whether there is a shared file. */
  readonly shared: boolean;
  readonly session: SessionOptions;
  /** Most bytes that the outputs of a run may have for each of its requests. @default no limit */
  readonly maxOutputBytes?: number;
}

/** Options of the ONNX Runtime session; what is absent is ONNX Runtime's default, if not said otherwise. */
export interface SessionOptions {
  /** Execution providers by name, or as `{ name, …options }`, in order of preference. @default the CPU */
  readonly providers?: readonly (string | Readonly<Record<string, unknown>>)[];
  /** Threads inside an operator, counting the caller. @default what a trial at load finds, at most cores ÷ instances */
  readonly intraOpThreads?: number;
  /** Whether idle threads wait actively: the next operator begins sooner, and a core is busy meanwhile. @default false */
  readonly spinning?: boolean;
  /** Threads between operators, for the parallel execution mode. */
  readonly interOpThreads?: number;
  readonly executionMode?: 'sequential' | 'parallel';
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  /** Whether the CPU memory arena keeps what it once took: faster, but memory stays at its peak. */
  readonly arena?: boolean;
  readonly memoryPattern?: boolean;
  /** Session configuration entries of ONNX Runtime, such as `session.set_denormal_as_zero`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** An input or output as ONNX Runtime describes it. */
export type ValueDescription =
  | {
      readonly name: string;
      readonly isTensor: true;
      readonly type: string;
      /** A free dimension is its name, or empty. */
      readonly shape: readonly (number | string)[];
    }
  | { readonly name: string; readonly isTensor: false };

export interface ModelDescription {
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
}

/** The answer to a load message. */
export type LoadedMessage =
  | { readonly ok: true; readonly model: ModelDescription; readonly rssBytes: number }
  | { readonly ok: false; readonly message: string };

/** Why the model refused an input, in its own words. */
export interface RefusalMessage {
  readonly message: string;
  /** Set when the model has run, and its outputs are too large. */
  readonly tooLarge?: true;
}

/** The data types of the Open Inference Protocol by their names in ONNX Runtime. */
export const datatypeOf: Readonly<Record<string, keyof TensorData>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};
