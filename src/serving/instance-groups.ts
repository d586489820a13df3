import { timingsInParallel } from '../inference/timings.ts';
import type { Tensors } from '../tensor/tensor.ts';
import { type EncodeContext, encodeContext } from './encode-context.ts';
import type { RunDependencies, SeparateRuns } from './separate-instances.ts';

/** Instances that share a run. */
export interface EncodedGroup {
  readonly inputs: Tensors;
  /** Which instances of the request its rows are. */
  readonly instances: readonly number[];
}

/** What became of a group. */
export interface DecodedGroup {
  readonly outputs: Tensors;
  /** What the encoder has called its instances. */
  readonly rows: readonly number[];
}

/** For requests whose encoder says which instances share a run, such as texts of nearly one length. */
export interface GroupedInstances<Model> {
  /** @returns at least one group; each instance is in one of them */
  encode(model: Model, context: EncodeContext): Promise<readonly EncodedGroup[]>;
}

export interface GroupedRuns extends SeparateRuns {
  /** Which instances each run is about. */
  readonly groups: readonly (readonly number[])[];
}

/**
 * Encodes all instances at once, and runs their groups side by side.
 *
 * @throws the first error of a run
 */
export async function runGroups<Model>(
  { encode }: GroupedInstances<Model>,
  { served, lease, context, clock }: RunDependencies<Model>,
): Promise<GroupedRuns> {
  const startedMs = clock.now();
  const groups = await encode(served, encodeContext(context, clock));
  const encodeMs = clock.now() - startedMs;
  const predictions = await Promise.all(groups.map(({ inputs }) => lease.predictor.predict(inputs, context)));
  return {
    runs: predictions.map(({ outputs }) => outputs),
    groups: groups.map(({ instances }) => instances),
    inputs: groups[0]?.inputs ?? {},
    outputs: predictions[0]?.outputs ?? {},
    encodeMs,
    timings: timingsInParallel(predictions.map(({ timings }) => timings)),
  };
}
