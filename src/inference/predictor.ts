import type { Signature, Tensors } from '../tensor/tensor.ts';
import type { CacheReport } from './cache/cache-report.ts';
import type { Priority } from './priority.ts';
import type { Timings } from './timings.ts';
import type { TraceContext } from './trace-context.ts';

/** What a prediction knows about the request that it serves. */
export interface PredictContext {
  readonly requestId: string;
  /** Aborted when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
  /** The moment, on the {@link Clock} of the engine, after which an answer is worthless. */
  readonly deadlineMs: number;
  /** @default that of most requests; 0 stands for it too */
  readonly priority?: Priority | undefined;
  /** Names of the outputs that are wanted; all when absent. */
  readonly outputs?: readonly string[];
  /** The trace that the request belongs to. */
  readonly trace?: TraceContext | undefined;
  /** The key of the client; undefined when there are no keys. */
  readonly caller?:
    | {
        readonly id: string;
        readonly name: string;
        /** What the key may do; undefined for what it was allowed when it asked, such as a task. */
        readonly scopes?: ReadonlySet<string>;
      }
    | undefined;
  /** Headers that a predictor may choose by. @default none */
  readonly headers?: RequestHeaders | undefined;
  /** When the request arrived, in milliseconds since 1970. */
  readonly arrivedAt: number;
  /** Whether neither the answer may come from a cache nor be kept in one. @default false */
  readonly bypassesCache?: boolean | undefined;
}

/** Headers of a request over HTTP, or the metadata of one over gRPC. */
export interface RequestHeaders {
  /** @param name in small letters */
  get(name: string): string | undefined;
}

/** How a step of a graph ended: by itself, not at all, with an error, by its fallback, or past its deadline. */
export type StepOutcome = 'ok' | 'skipped' | 'failed' | 'fell_back' | 'timeout';

/** What became of a step of a graph. A switch that sends its rows to several arms has one for each of them. */
export interface StepReport {
  readonly name: string;
  /** The member that answered, or was to answer; absent where the step runs no model. */
  readonly model?: string;
  readonly version?: string;
  /** Of a switch: the index of the arm, or `otherwise`. */
  readonly arm?: string;
  readonly outcome: StepOutcome;
  readonly ms: number;
}

/** What a predictor has made of inputs. */
export interface Prediction {
  readonly outputs: Tensors;
  /** Where the time went; the parts never sum to more than the prediction took. */
  readonly timings: Timings;
  /** Of a graph: its steps, in the order in which they ended. */
  readonly steps?: readonly StepReport[];
  /** What the cache of the model did; undefined where it has none. */
  readonly cache?: CacheReport | undefined;
}

/** Whether a predictor takes requests, and why not. */
export type Health =
  | { readonly ready: true }
  | {
      readonly ready: false;
      readonly reason: string;
      /** Whether only another server is at fault. @default false */
      readonly elsewhere?: boolean;
    };

/**
 * The one interface of everything that answers, so that any of them can stand in any other's place. Its properties can be
 * read at any time, and never throw. `test/contract/predictor.contract.ts` holds for each of them.
 */
export interface Predictor {
  readonly signature: Signature;
  /** Whether dimension 0 of every input and output counts rows that do not change each other. It may end while it serves. */
  readonly independentRows: boolean;
  /** Derived from what the predictor stands on, whenever it is asked for. */
  readonly health: Health;
  /**
   * Runs the inputs, which must fit the signature, and gives the named outputs. Once it has settled, nothing reads the
   * memory of the inputs any more, and the outputs share none with them.
   *
   * @throws AppError `QUEUE_FULL`, `DEADLINE_UNREACHABLE`, `DEADLINE_EXCEEDED`, `RUNNER_DIED`, `CLIENT_GONE`,
   * `MODEL_REFUSED_INPUT`, `INPUT_KILLED_RUNNER` or `SHUTTING_DOWN`
   */
  predict(inputs: Tensors, context: PredictContext): Promise<Prediction>;
  /**
   * Settles at once what is under way and whose signal was aborted, for a caller that waits for it.
   * @default it settles when its runs end, at its deadlines at the latest
   */
  dropAborted?(): void;
  /** Takes no more requests; resolves after the last prediction has settled. */
  close(): Promise<void>;
}
