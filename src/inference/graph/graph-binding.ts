import type { Signature, Tensors } from '../../tensor/tensor.ts';
import type { PredictContext, Prediction } from '../predictor.ts';
import type { GraphPlan } from './graph-plan.ts';

/** A member as a check of the graph sees it. */
export interface MemberFacts {
  readonly name: string;
  readonly version: string;
  readonly signature: Signature;
}

/** A member that is held for one request. */
export interface BoundMember {
  readonly name: string;
  readonly version: string;
  readonly independentRows: boolean;
  /** What so many rows cost at least, in milliseconds; 0 when it is not known. */
  leastMs(rows: number): number;
  predict(inputs: Tensors, context: PredictContext): Promise<Prediction>;
  /** As of a predictor. */
  dropAborted?(): void;
}

/** The plan of a graph with the members that it was checked against, held together. */
export interface HeldBinding {
  readonly plan: GraphPlan;
  /** By the index that the plan names. */
  readonly members: readonly BoundMember[];
  release(): void;
}
