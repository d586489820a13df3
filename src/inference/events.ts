import type { ErrorCode } from '../errors.ts';

/** What an observer, such as the metrics, may want to know of a model. Absent listeners cost nothing. */
export interface EngineEvents {
  onBatch?(model: string, version: string, batch: BatchEvent): void;
  /** A request was not answered with outputs. */
  onRefusal?(model: string, version: string, code: ErrorCode): void;
  onRunnerRestart?(model: string, version: string, reason: string): void;
}

export interface BatchEvent {
  readonly rows: number;
  readonly requests: number;
  readonly runMs: number;
}
