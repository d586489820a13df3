import type { PredictContext, Prediction } from '../inference/predictor.ts';
import type { Lease } from '../models/registry/lease.ts';
import type { ServedCounters } from '../served/served-counters.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { Clock } from '../timing/clock.ts';

/**
 * Predicts with a model that another one is made of. It counts as a request of the member in the statistics of
 * the Open Inference Protocol, as a step of an ensemble does in Triton, not in the metrics of requests, and is not logged or limited: the client asked for another model.
 *
 * @throws what {@link Lease.predictor} throws
 */
export async function predictMember(
  { name, version, predictor }: Lease,
  inputs: Tensors,
  context: PredictContext,
  { counters, clock }: { readonly counters: ServedCounters; readonly clock: Pick<Clock, 'now'> },
): Promise<Prediction> {
  const startedMs = clock.now();
  try {
    const prediction = await predictor.predict(inputs, context);
    const { timings } = prediction;
    counters.recordStepSuccess(name, version, { totalMs: clock.now() - startedMs, encodeMs: 0, timings });
    return prediction;
  } catch (thrown) {
    counters.recordStepFailure(name, version, clock.now() - startedMs);
    throw thrown;
  }
}
