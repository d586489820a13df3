import type { StepOutcome, StepReport } from '../../predictor.ts';
import type { TraceContext } from '../../trace-context.ts';
import type { BoundMember } from '../graph-binding.ts';
import type { MemberIndex } from '../graph-plan.ts';
import type { GraphEvents } from './graph-events.ts';
import type { RunStep } from './plan/run-plan.ts';
import type { RunRequest } from './run-request.ts';
import type { ArmReport } from './step-scope.ts';

export interface StepEnd {
  readonly outcome: StepOutcome;
  readonly member?: MemberIndex | undefined;
}

/** What becomes of the steps of one request. */
export class StepReports {
  readonly all: StepReport[] = [];
  readonly #members: readonly BoundMember[];
  readonly #events: GraphEvents | undefined;

  readonly #trace: TraceContext | undefined;

  constructor({ held, context }: Pick<RunRequest, 'held' | 'context'>, events: GraphEvents | undefined) {
    this.#members = held.members;
    this.#trace = context.trace;
    this.#events = events;
  }

  end({ step }: RunStep, { outcome, member }: StepEnd, ms: number): void {
    const index = member ?? (step.kind === 'model' ? step.call.member : undefined);
    const bound = index === undefined ? undefined : this.#members[index];
    const { name } = step;
    this.#add(
      bound === undefined ? { name, outcome, ms } : { name, model: bound.name, version: bound.version, outcome, ms },
    );
  }

  /** An arm of a switch has ended. */
  endArm({ step }: RunStep, { arm, outcome, member, ms }: ArmReport): void {
    const bound = member === undefined ? undefined : this.#members[member];
    const of =
      bound === undefined ? { name: step.name } : { name: step.name, model: bound.name, version: bound.version };
    this.#add({ ...of, arm, outcome, ms });
  }

  #add(report: StepReport): void {
    this.all.push(report);
    this.#events?.onStep?.(report, this.#trace);
  }
}
