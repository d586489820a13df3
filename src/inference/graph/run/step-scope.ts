import { toAppError } from '../../../errors.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Clock } from '../../../timing/clock.ts';
import type { PredictContext, StepOutcome, StepReport } from '../../predictor.ts';
import type { BoundMember } from '../graph-binding.ts';
import type { MemberIndex, TensorSource } from '../graph-plan.ts';
import type { RuleRequest } from '../rules.ts';
import type { GraphEvents } from './graph-events.ts';

/** What a step of one request runs in. */
export interface StepScope {
  readonly clock: Clock;
  readonly events: GraphEvents | undefined;
  readonly members: readonly BoundMember[];
  /** Of the request; signal, deadline and outputs are the step's own. */
  readonly context: PredictContext;
  /** Aborted when nobody waits for the step any more. */
  readonly signal: AbortSignal;
  /** When the step must have ended for the answer to be in time. */
  readonly deadlineMs: number;
  /** Whether something goes on without the step, which then needs time to. */
  readonly isOptional: boolean;
  /** Rows of literals. */
  readonly rows: number;
  /** What rules know of the request. */
  ruleRequest(): RuleRequest;
  readonly read: (source: TensorSource) => Tensor;
  /** Ends whatever of the step is under way. */
  abort(): void;
  /** Tells of an arm that has ended. */
  report(part: ArmReport): void;
}

export interface ArmReport extends Pick<StepReport, 'outcome' | 'ms'> {
  readonly arm: string;
  readonly member?: MemberIndex | undefined;
}

/** How a step ended that failed. */
export function failureOutcome(thrown: unknown, { signal }: Pick<StepScope, 'signal'>): StepOutcome {
  if (signal.aborted) return 'skipped';
  return toAppError(thrown).kind === 'timeout' ? 'timeout' : 'failed';
}
