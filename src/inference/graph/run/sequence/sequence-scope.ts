import type { Tensor } from '../../../../tensor/tensor.ts';
import type { Clock } from '../../../../timing/clock.ts';
import type { PredictContext } from '../../../predictor.ts';
import type { BoundMember } from '../../graph-binding.ts';
import type { TensorSource } from '../../graph-plan.ts';
import type { RuleRequest } from '../../rules.ts';
import type { GraphEvents } from '../graph-events.ts';
import type { RunStep } from '../plan/run-plan.ts';
import { type RunDependencies, type RunRequest, withoutOutputs } from '../run-request.ts';
import { type StepEnd, StepReports } from '../step-reports.ts';
import type { ArmReport, StepScope } from '../step-scope.ts';
import { readRuleRequest } from '../switch/rule-request.ts';
import { TensorSlots } from '../tensor-slots.ts';

/** One scope for the steps of a sequence, which it goes through. */
export class SequenceScope implements StepScope {
  readonly clock: Clock;
  readonly events: GraphEvents | undefined;
  readonly members: readonly BoundMember[];
  readonly context: PredictContext;
  readonly signal: AbortSignal;
  readonly isOptional = false;
  readonly rows: number;
  readonly read: (source: TensorSource) => Tensor;
  readonly slots: TensorSlots;
  readonly reports: StepReports;
  deadlineMs: number;
  /** Of the step; when that has ended, of the next. */
  startedMs: number;
  isReported = false;
  of: RunStep | undefined;
  readonly #request: RunRequest;
  #ruleRequest: RuleRequest | undefined;

  constructor(request: RunRequest, { clock, events }: RunDependencies) {
    const { plan, held, inputs, context, rows, inFlight, beganMs } = request;
    const slots = new TensorSlots(plan, inputs, inFlight);
    this.#request = request;
    this.clock = clock;
    this.events = events;
    this.members = held.members;
    this.context = withoutOutputs(context);
    this.signal = context.signal;
    this.rows = rows;
    this.slots = slots;
    this.read = (source) => slots.read(source);
    this.reports = new StepReports(request, events);
    this.deadlineMs = context.deadlineMs;
    this.startedMs = beganMs;
  }

  enter(step: RunStep, index: number): void {
    const { context, afterMs } = this.#request;
    this.of = step;
    this.isReported = false;
    this.deadlineMs = context.deadlineMs - (afterMs[index] ?? 0);
  }

  leave(end: StepEnd, nowMs: number): void {
    if (this.of !== undefined && !this.isReported) this.reports.end(this.of, end, nowMs - this.startedMs);
    this.startedMs = nowMs;
  }

  ruleRequest(): RuleRequest {
    const { context, held, rows } = this.#request;
    this.#ruleRequest ??= readRuleRequest(context, held.plan.headers, rows);
    return this.#ruleRequest;
  }

  /** Nothing of a sequence is under way beside what the signal of the request ends. */
  abort(): void {}

  report(part: ArmReport): void {
    this.isReported = true;
    if (this.of !== undefined) this.reports.endArm(this.of, part);
  }
}
