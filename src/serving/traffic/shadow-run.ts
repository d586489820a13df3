import type { PredictContext, Prediction } from '../../inference/predictor.ts';
import { timingsInSequence } from '../../inference/timings.ts';
import type { Lease } from '../../models/registry/lease.ts';
import type { Clock } from '../../timing/clock.ts';
import type { DecodableInference } from '../infer.ts';
import { servedModelOf } from '../served-model.ts';
import type { ShadowCopy } from './shadow-copy.ts';

export interface ShadowTerms {
  /** Longest time that it may take, unless its model says less. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Gives the runs of a request to the version, one after the other, below every other priority.
 *
 * @throws AppError what {@link Lease.predictor} throws
 */
export async function runShadow(
  copy: ShadowCopy,
  lease: Lease,
  { timeoutMs, signal, clock }: ShadowTerms,
): Promise<DecodableInference> {
  const startedMs = clock.now();
  const { model, terms, runs, outputNames, isSplit, groups, answerLimitBytes } = copy;
  const context: PredictContext = {
    ...terms,
    signal,
    deadlineMs: startedMs + Math.min(timeoutMs, lease.manifest.timeoutMs),
    outputs: outputNames,
    priority: 'background',
    bypassesCache: true,
    arrivedAt: Date.now(),
  };
  const predictions: Prediction[] = [];
  for (const inputs of runs) predictions.push(await lease.predictor.predict(inputs, context));
  const outputs = predictions.map((prediction) => prediction.outputs);
  const [first] = predictions;
  return {
    // The rows of both are counted alike, so that each has its pair.
    model: { ...servedModelOf(lease), independentRows: model.independentRows },
    inputs: runs[0] ?? {},
    outputs: outputs[0] ?? {},
    ...(isSplit && { runs: outputs }),
    ...(groups !== undefined && { groups }),
    ...(!isSplit && first?.steps !== undefined && { steps: first.steps }),
    timings: timingsInSequence(predictions.map(({ timings }) => timings)),
    encodeMs: 0,
    totalMs: clock.now() - startedMs,
    answerLimitBytes,
  };
}
