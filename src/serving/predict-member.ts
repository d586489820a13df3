import type { PredictContext, Prediction } from '../inference/predictor.ts';
import type { Lease } from '../models/lease.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { Clock } from '../timing/clock.ts';
import type { Statistics } from './statistics.ts';

/**
 * Predicts with a model that another one is made of. It counts as a request of the member in the statistics, as a step of
 * an ensemble does in Triton, and nowhere else: the client asked for another model.
 *
 * @throws what {@link Lease.predictor} throws
 */
export async function predictMember(
  { name, version, predictor }: Lease,
  inputs: Tensors,
  context: PredictContext,
  { statistics, clock }: { readonly statistics: Statistics; readonly clock: Pick<Clock, 'now'> },
): Promise<Prediction> {
  const startedMs = clock.now();
  try {
    const prediction = await predictor.predict(inputs, context);
    const { timings } = prediction;
    statistics.recordSuccess(name, version, { totalMs: clock.now() - startedMs, encodeMs: 0, timings });
    return prediction;
  } catch (thrown) {
    statistics.recordFailure(name, version, clock.now() - startedMs);
    throw thrown;
  }
}
