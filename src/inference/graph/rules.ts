import type { Tensor, TensorSpec } from '../../tensor/tensor.ts';
import type { TensorSource } from './tensor-source.ts';

/** What a rule knows of the request beside its tensors. */
export interface RuleRequest {
  /** Declared headers by lower-case name; those that the request lacks are "". */
  readonly headers: Readonly<Record<string, string>>;
  /** Both are "" where there are no keys. */
  readonly key: { readonly id: string; readonly name: string };
  /** When the request arrived. */
  readonly now: Date;
  readonly rows: number;
}

/** A rule of a switch that has been parsed and checked. */
export interface CompiledRule {
  readonly text: string;
  /** Tensors that it reads; where there is one, it is decided for each row. */
  readonly reads: readonly TensorSource[];
  /** Whether it reads headers, the key or the time. */
  readonly readsRequest: boolean;
  readonly readsRows: boolean;
  /**
   * @param read gives a tensor of {@link reads}
   * @param row which row of the tensors is meant
   * @throws Error when it cannot be decided, such as a division by zero
   */
  decide(request: RuleRequest, read: (source: TensorSource) => Tensor, row: number): boolean;
}

export interface RuleScope {
  readonly headers: readonly string[];
  /** Tensors that a rule may read, by step and name; `input` is a step. */
  readonly tensors: ReadonlyMap<string, readonly TensorSpec[]>;
}

/** Parses and checks a rule; what is wrong with it is the message of a {@link RuleError}. */
export type CompileRule = (text: string, scope: RuleScope) => CompiledRule;

/** A rule that cannot be used. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}
