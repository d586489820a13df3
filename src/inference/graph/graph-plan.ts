import type { DataType } from '../../tensor/data-type.ts';
import type { Signature, Tensor, TensorSpec } from '../../tensor/tensor.ts';
import type { Combination } from './graph-definition.ts';
import type { CompiledRule } from './rules.ts';
import type { TensorSource } from './tensor-source.ts';

export type { TensorSource };

/** Where an input of a member, or an output of a switch, comes from, and what is done to it on the way, in this order. */
export interface PlannedWire {
  /** A tensor, or one row (first dimension 1) that is repeated for each row of the request. */
  readonly from: TensorSource | { readonly row: Tensor };
  readonly cast?: DataType;
  /** The first dimension is -1. */
  readonly reshape?: readonly number[];
  readonly columns?: readonly number[];
  /** What the wire leads to, for the check of the shape that shows only at run time. */
  readonly to: TensorSpec;
}

/** A model that answers for the graph: an index of the members of its binding. */
export type MemberIndex = number;

export type PlannedFallback =
  | { readonly member: MemberIndex }
  /** One row of each output. */
  | { readonly rows: Readonly<Record<string, Tensor>> };

export interface PlannedCall {
  readonly kind: 'call';
  readonly member: MemberIndex;
  /** By input of the member. */
  readonly inputs: ReadonlyMap<string, PlannedWire>;
  readonly timeoutMs?: number;
  readonly fallback?: PlannedFallback;
}

export interface PlannedUse {
  readonly kind: 'use';
  /** By output of the step. */
  readonly outputs: ReadonlyMap<string, PlannedWire>;
}

export type PlannedTarget = PlannedCall | PlannedUse;

interface PlannedStepBase {
  readonly name: string;
  /** Names of the steps that it reads from, without `input`. */
  readonly needs: readonly string[];
  readonly outputs: readonly TensorSpec[];
  /** Whether its failure fails the request; a step that feeds only what can do without is not. */
  readonly required: boolean;
}

export interface PlannedModelStep extends PlannedStepBase {
  readonly kind: 'model';
  readonly call: PlannedCall;
}

export interface PlannedSwitchStep extends PlannedStepBase {
  readonly kind: 'switch';
  /** Whether the rules are decided for each row; else once for the request. */
  readonly perRow: boolean;
  readonly arms: readonly { readonly rule: CompiledRule; readonly target: PlannedTarget }[];
  readonly otherwise: PlannedTarget | 'refuse';
}

export interface PlannedCombineStep extends PlannedStepBase {
  readonly kind: 'combine';
  readonly combine: Combination;
  /** Tensors; for `first` and `fastest`, steps (`tensor` is empty). */
  readonly of: readonly TensorSource[];
  readonly weights: readonly number[];
  readonly quorum: number;
  readonly waitMs?: number;
  readonly index: boolean;
  readonly nan: 'propagate' | 'skip';
  readonly axis: number;
}

export type PlannedStep = PlannedModelStep | PlannedSwitchStep | PlannedCombineStep;

/** A graph that has been checked against the signatures of its members. */
export interface GraphPlan {
  readonly signature: Signature;
  /** Whether rows do not change each other, as far as the graph itself and the signatures tell; its members come besides. */
  readonly rowWise: boolean;
  /** Members that take some of the rows of a request; the graph cannot be served while the rows of one are not independent. */
  readonly needIndependent: readonly MemberIndex[];
  /** Each after those that it needs. */
  readonly steps: readonly PlannedStep[];
  /** By output of the graph. */
  readonly outputs: ReadonlyMap<string, TensorSource>;
  /** Whether a rule reads headers, the key or the time, so that equal inputs may have other answers. */
  readonly readsRequest: boolean;
  readonly headers: readonly string[];
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  /** What is strange and does no harm, such as a step that nothing uses. */
  readonly warnings: readonly string[];
}
