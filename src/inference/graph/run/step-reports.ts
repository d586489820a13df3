import type { Clock } from '../../../timing/clock.ts';
import type { StepOutcome, StepReport } from '../../predictor.ts';
import type { BoundMember } from '../graph-binding.ts';
import type { MemberIndex } from '../graph-plan.ts';
import type { GraphEvents } from './graph-events.ts';
import type { StepRun } from './step-run.ts';

interface Dependencies {
  readonly clock: Clock;
  readonly events: GraphEvents | undefined;
}

interface End {
  readonly outcome: StepOutcome;
  readonly member?: MemberIndex | undefined;
}

/** What becomes of the steps of one request. */
export class StepReports {
  readonly all: StepReport[] = [];
  readonly #members: readonly BoundMember[];
  readonly #dependencies: Dependencies;

  constructor(members: readonly BoundMember[], dependencies: Dependencies) {
    this.#members = members;
    this.#dependencies = dependencies;
  }

  /** A step has ended; the first word counts, which the arms of a switch have. */
  end(run: StepRun, { outcome, member }: End): void {
    const { step } = run.of;
    if (run.isReported) return;
    run.isReported = true;
    const ms = run.startedMs === undefined ? 0 : this.#dependencies.clock.now() - run.startedMs;
    this.#report(
      step.name,
      { outcome, member: member ?? (step.kind === 'model' ? step.call.member : undefined) },
      { ms },
    );
  }

  /** An arm of a switch has ended. */
  endArm(run: StepRun, { arm, ms, ...end }: End & { readonly arm: string; readonly ms: number }): void {
    run.isReported = true;
    this.#report(run.name, end, { arm, ms });
  }

  #report(name: string, { outcome, member }: End, more: Pick<StepReport, 'arm' | 'ms'>): void {
    const bound = member === undefined ? undefined : this.#members[member];
    const of = bound === undefined ? { name } : { name, model: bound.name, version: bound.version };
    const report: StepReport = { ...of, outcome, ...more };
    this.all.push(report);
    this.#dependencies.events?.onStep?.(report);
  }
}
