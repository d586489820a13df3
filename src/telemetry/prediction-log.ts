import { loggable } from './loggable.ts';
import type { Logger } from './logger.ts';

export interface PredictionLogOptions {
  readonly log: Logger;
  /** Part of the predictions that are logged, from 0 to 1. */
  readonly share: number;
  /** Whether inputs and outputs are logged too. */
  readonly inputs: boolean;
  /** Names of the fields, inputs and outputs whose values are hidden. */
  readonly redact: readonly string[];
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number;
}

export interface LoggedPrediction {
  readonly requestId: string;
  readonly model: string;
  readonly version: string;
  readonly totalMs: number;
  readonly timings: { readonly queueMs: number; readonly inferMs: number; readonly batchRows: number };
  readonly inputs: unknown;
  readonly outputs: unknown;
}

/** Writes one line for a prediction, as often as the share says. */
export function predictionLog({ log, share, inputs, redact, random = Math.random }: PredictionLogOptions) {
  const redacted = new Set(redact);
  return (prediction: LoggedPrediction): void => {
    if (random() >= share) return;
    const { requestId, model, version, totalMs, timings } = prediction;
    log.info({
      event: 'prediction',
      request_id: requestId,
      model,
      version,
      total_ms: round(totalMs),
      queue_ms: round(timings.queueMs),
      infer_ms: round(timings.inferMs),
      batch_rows: timings.batchRows,
      ...(inputs && {
        inputs: loggable(prediction.inputs, redacted),
        outputs: loggable(prediction.outputs, redacted),
      }),
    });
  };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
