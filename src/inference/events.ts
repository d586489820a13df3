import type { ErrorCode } from '../errors.ts';
import type { TraceContext } from './trace-context.ts';

/** What an observer, such as the metrics, may want to know of a model. Absent listeners cost nothing. */
export interface EngineEvents {
  onBatch?(model: string, version: string, batch: BatchEvent): void;
  /** A request was not answered with outputs. */
  onRefusal?(model: string, version: string, code: ErrorCode): void;
  /** A row of a shared run was run again alone: what came of it was the same, or not. */
  onSpotCheck?(model: string, version: string, outcome: 'equal' | 'different'): void;
  onRunnerRestart?(model: string, version: string, reason: string): void;
}

export interface BatchEvent {
  readonly rows: number;
  /** Most rows that a run may have. */
  readonly maxRows: number;
  readonly requests: number;
  /** When the runner was free to begin, on the clock of the engine. */
  readonly startedMs: number;
  readonly runMs: number;
  /** Of the requests that belong to a trace. */
  readonly traces: readonly TraceContext[];
}
