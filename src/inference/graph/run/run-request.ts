import type { Tensors } from '../../../tensor/tensor.ts';
import type { Clock } from '../../../timing/clock.ts';
import type { PredictContext } from '../../predictor.ts';
import type { HeldBinding } from '../graph-binding.ts';
import type { GraphEvents } from './graph-events.ts';
import type { RunPlan } from './plan/run-plan.ts';
import type { InFlight } from './under-way.ts';

/** A request that has been let in. */
export interface RunRequest {
  readonly plan: RunPlan;
  readonly held: HeldBinding;
  readonly inputs: Tensors;
  readonly context: PredictContext;
  readonly rows: number;
  /** By step, what follows it costs at least. */
  readonly afterMs: readonly number[];
  readonly inFlight: InFlight;
  readonly beganMs: number;
}

export interface RunDependencies {
  readonly clock: Clock;
  readonly events: GraphEvents | undefined;
}

/** The context of members: what the client wants of the graph is no matter of theirs. */
export function withoutOutputs(context: PredictContext): PredictContext {
  if (context.outputs === undefined) return context;
  const { outputs: _, ...shared } = context;
  return shared;
}
