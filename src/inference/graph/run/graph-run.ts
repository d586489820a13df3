import { AppError, toAppError } from '../../../errors.ts';
import type { Tensors } from '../../../tensor/tensor.ts';
import type { Clock } from '../../../timing/clock.ts';
import { clientGone, deadlineExceeded } from '../../batcher/refusals.ts';
import type { PredictContext, Prediction, StepOutcome, StepReport } from '../../predictor.ts';
import type { HeldBinding } from '../graph-binding.ts';
import type { MemberIndex, PlannedCombineStep } from '../graph-plan.ts';
import type { RuleRequest } from '../rules.ts';
import { combinationError } from './combination-error.ts';
import { decideCombination, type Standing } from './decide-combination.ts';
import type { GraphEvents } from './graph-events.ts';
import type { InFlight } from './in-flight-bounds.ts';
import { namedOutputs } from './named-outputs.ts';
import { readRuleRequest } from './rule-request.ts';
import type { StepResult } from './run-call.ts';
import type { RunPlan, RunStep } from './run-plan.ts';
import { runCombination, runStep } from './run-step.ts';
import { errorOfStep } from './step-error.ts';
import { criticalPath, StepRun, type StepState } from './step-run.ts';
import { type ArmReport, failureOutcome, type StepScope } from './step-scope.ts';
import { TensorSlots } from './tensor-slots.ts';

export interface RunRequest {
  readonly plan: RunPlan;
  readonly held: HeldBinding;
  readonly inputs: Tensors;
  readonly context: PredictContext;
  readonly rows: number;
  /** By step, what follows it costs at least. */
  readonly afterMs: readonly number[];
  readonly inFlight: InFlight;
}

export interface RunDependencies {
  readonly clock: Clock;
  readonly events: GraphEvents | undefined;
}

/** One request on its way through a graph: each step begins when its tensors are there. */
export class GraphRun {
  readonly #request: RunRequest;
  readonly #dependencies: RunDependencies;
  readonly #steps: readonly RunStep[];
  readonly #runs: readonly StepRun[];
  readonly #slots: TensorSlots;
  readonly #reports: StepReport[] = [];
  /** The context of members, without the outputs that the client wants of the graph. */
  readonly #context: PredictContext;
  readonly #settled = Promise.withResolvers<Prediction>();
  #outputsLeft: number;
  /** The step that gave the last output. */
  #last = -1;
  #underWay = 0;
  #failure: AppError | undefined;
  #isOver = false;
  #ruleRequest: RuleRequest | undefined;

  constructor(request: RunRequest, dependencies: RunDependencies) {
    const { plan, inputs, inFlight, context } = request;
    const { outputs: _, ...shared } = context;
    this.#request = request;
    this.#dependencies = dependencies;
    this.#context = shared;
    this.#steps = plan.steps;
    this.#runs = plan.steps.map((step, index) => new StepRun(step, plan.interests[index] ?? 0));
    this.#slots = new TensorSlots(plan, inputs, inFlight);
    this.#outputsLeft = plan.steps.reduce((count, { isOutput }) => count + (isOutput ? 1 : 0), 0);
  }

  /** Settles after everything that was under way has. */
  async run(): Promise<Prediction> {
    const { signal } = this.#request.context;
    const onAbort = () => this.#fail(clientGone());
    if (!this.#request.plan.inSequence) signal.addEventListener('abort', onAbort);
    try {
      for (const [index, { needs }] of this.#steps.entries()) if (needs.length === 0) this.#begin(index, -1);
      this.#settleIfOver();
      return await this.#settled.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#slots.clear();
    }
  }

  #begin(index: number, cause: number): void {
    const { step, run } = this.#at(index);
    if (this.#isOver || run.state !== 'waiting') return;
    const { clock } = this.#dependencies;
    run.startedMs = clock.now();
    run.cause = cause;
    if (step.step.kind === 'combine') {
      this.#decide(index, step.step);
      return;
    }
    if (this.#request.context.signal.aborted) {
      this.#fail(clientGone());
      return;
    }
    run.state = 'running';
    this.#underWay += 1;
    runStep(step, this.#scope(index)).then(
      (result) => this.#onResult(index, result),
      (thrown: unknown) => this.#onFailure(index, toAppError(thrown)),
    );
  }

  #scope(index: number): StepScope {
    const { step, run } = this.#at(index);
    const { held, context, rows, plan, afterMs } = this.#request;
    if (!plan.inSequence) run.controller = new AbortController();
    return {
      ...this.#dependencies,
      members: held.members,
      context: this.#context,
      signal: run.controller?.signal ?? context.signal,
      deadlineMs: context.deadlineMs - (afterMs[index] ?? 0),
      isOptional: !step.step.required,
      rows,
      ruleRequest: () => this.#ruleRequestOf(),
      read: (source) => this.#slots.read(source),
      abort: () => this.#abort(run),
      report: (part) => this.#report(index, part),
    };
  }

  #onResult(index: number, result: StepResult): void {
    const { run } = this.#at(index);
    this.#underWay -= 1;
    if (run.state === 'running' && !this.#isOver) this.#finish(index, result);
    else this.#endUseless(index);
    this.#settleIfOver();
  }

  #onFailure(index: number, error: AppError): void {
    const { run } = this.#at(index);
    this.#underWay -= 1;
    const { signal } = this.#request.context;
    this.#reportUnlessDone(index, { outcome: failureOutcome(error, run.controller ?? { signal }) });
    if (run.state === 'running' && !this.#isOver) this.#lose(index, error);
    else this.#endUseless(index);
    this.#settleIfOver();
  }

  /** What was not waited for any more has ended. */
  #endUseless(index: number): void {
    this.#reportUnlessDone(index, { outcome: 'skipped' });
    if (!this.#isOver) this.#slots.release(this.#at(index).step.reads);
  }

  /** Keeps what a step has given, and goes on with what waited for it. */
  #finish(index: number, { outputs, timings, outcome, member }: StepResult): void {
    const { step, run } = this.#at(index);
    try {
      for (const [at, name] of step.used.entries()) {
        const tensor = outputs[name];
        if (tensor === undefined) throw new AppError('STEP_MISMATCH', { message: `there is no output ${name}` });
        this.#slots.put(step.gives[at] ?? -1, tensor);
      }
    } catch (thrown) {
      this.#reportUnlessDone(index, { outcome: 'failed', member });
      this.#lose(index, toAppError(thrown));
      return;
    }
    run.timings = timings;
    run.state = 'done';
    this.#reportUnlessDone(index, { outcome, member });
    if (step.isOutput) {
      this.#outputsLeft -= 1;
      this.#last = index;
    }
    this.#release(index);
    for (const reader of step.readers) this.#onNeedEnded(reader, index);
  }

  /** A step has failed: so has the request, unless it can do without. */
  #lose(index: number, error: AppError): void {
    const { step } = this.#at(index);
    const located = errorOfStep(step.step.name, error);
    if (this.#request.context.signal.aborted) this.#fail(clientGone());
    else if (step.step.required || step.isOutput) this.#fail(located);
    else this.#miss(index, located);
  }

  /** The request goes on without a step, and without what needs it. */
  #miss(index: number, failure: AppError): void {
    const { step, run } = this.#at(index);
    run.state = 'absent';
    run.failure = failure;
    this.#release(index);
    for (const reader of step.readers) {
      const { step: other, run: readerRun } = this.#at(reader);
      if (other.step.kind === 'combine') this.#onNeedEnded(reader, index);
      else if (readerRun.state === 'waiting') this.#missReader(reader, failure);
    }
  }

  #missReader(index: number, failure: AppError): void {
    const { step } = this.#at(index);
    this.#reportUnlessDone(index, { outcome: 'skipped' });
    if (step.step.required || step.isOutput) this.#fail(failure);
    else this.#miss(index, failure);
  }

  #onNeedEnded(index: number, cause: number): void {
    const { step, run } = this.#at(index);
    if (run.state !== 'waiting' || this.#isOver) return;
    run.unmet -= 1;
    if (step.step.kind === 'combine' || run.unmet === 0) this.#begin(index, cause);
  }

  #decide(index: number, step: PlannedCombineStep): void {
    const { run } = this.#at(index);
    const decision = decideCombination(step, this.#standings(step));
    switch (decision.kind) {
      case 'wait':
        return;
      case 'take':
        this.#combine(index, step, decision.indexes);
        return;
      case 'enough':
        run.stopWaiting ??= this.#dependencies.clock.setTimer(step.waitMs ?? 0, () => {
          this.#combine(index, step, this.#indexesThere(step));
          this.#settleIfOver();
        });
        return;
      case 'fail': {
        this.#reportUnlessDone(index, { outcome: 'failed' });
        run.stopWaiting?.();
        this.#lose(index, combinationError(step, this.#failuresOf(index)));
      }
    }
  }

  #combine(index: number, step: PlannedCombineStep, taken: readonly number[]): void {
    const { step: runStepOf, run } = this.#at(index);
    if (run.state !== 'waiting' || this.#isOver) return;
    run.stopWaiting?.();
    let result: StepResult;
    try {
      result = runCombination(step, taken, { used: runStepOf.used, read: (source) => this.#slots.read(source) });
    } catch (thrown) {
      this.#reportUnlessDone(index, { outcome: 'failed' });
      this.#lose(index, toAppError(thrown));
      return;
    }
    this.#finish(index, result);
  }

  #standings({ of }: PlannedCombineStep): Standing[] {
    return of.map(({ step }) => {
      if (step === 'input') return 'there';
      const state = this.#stateOf(step);
      if (state === 'done') return 'there';
      return state === 'absent' ? 'gone' : 'coming';
    });
  }

  #indexesThere(step: PlannedCombineStep): number[] {
    return this.#standings(step).flatMap((standing, index) => (standing === 'there' ? [index] : []));
  }

  #stateOf(name: string): StepState | undefined {
    return this.#runs[this.#steps.findIndex(({ step }) => step.name === name)]?.state;
  }

  #failuresOf(index: number): AppError[] {
    return this.#at(index).step.needs.flatMap((need) => this.#runs[need]?.failure ?? []);
  }

  /** A step has ended: what it alone still read is dropped, and what it alone still waited for is ended. */
  #release(index: number): void {
    const { step } = this.#at(index);
    this.#slots.release(step.reads);
    for (const need of step.needs) {
      const { run } = this.#at(need);
      run.interest -= 1;
      if (run.interest > 0) continue;
      if (run.state === 'running') {
        run.state = 'absent';
        this.#abort(run);
      } else if (run.state === 'waiting') {
        run.state = 'absent';
        run.stopWaiting?.();
        this.#reportUnlessDone(need, { outcome: 'skipped' });
        this.#release(need);
      }
    }
  }

  #abort({ controller }: StepRun): void {
    if (controller === undefined || controller.signal.aborted) return;
    controller.abort();
    for (const member of this.#request.held.members) member.dropAborted?.();
  }

  #fail(error: AppError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = error;
    for (const run of this.#runs) {
      run.stopWaiting?.();
      if (run.state === 'running') this.#abort(run);
    }
    this.#settleIfOver();
  }

  #settleIfOver(): void {
    if (this.#outputsLeft === 0) this.#isOver = true;
    if (!this.#isOver || this.#underWay > 0) return;
    const { clock } = this.#dependencies;
    const { context, plan, inputs } = this.#request;
    if (this.#failure !== undefined) this.#settled.reject(this.#failure);
    else if (clock.now() > context.deadlineMs) this.#settled.reject(deadlineExceeded());
    else {
      const outputs = namedOutputs(plan, inputs, (source) => this.#slots.read(source));
      this.#settled.resolve({ outputs, timings: criticalPath(this.#runs, this.#last), steps: this.#reports });
    }
  }

  #ruleRequestOf(): RuleRequest {
    const { context, held, rows } = this.#request;
    this.#ruleRequest ??= readRuleRequest(context, held.plan.headers, rows);
    return this.#ruleRequest;
  }

  #reportUnlessDone(
    index: number,
    end: { readonly outcome: StepOutcome; readonly member?: MemberIndex | undefined },
  ): void {
    const { step, run } = this.#at(index);
    if (run.reported) return;
    const began = run.startedMs > 0 || run.state !== 'waiting';
    const ms = began ? this.#dependencies.clock.now() - run.startedMs : 0;
    const member = end.member ?? (step.step.kind === 'model' ? step.step.call.member : undefined);
    this.#report(index, { outcome: end.outcome, member, ms });
  }

  #report(index: number, { arm, outcome, member, ms }: Omit<ArmReport, 'arm'> & { readonly arm?: string }): void {
    const { step, run } = this.#at(index);
    run.reported = true;
    const bound = member === undefined ? undefined : this.#request.held.members[member];
    const report: StepReport = {
      name: step.step.name,
      ...(bound !== undefined && { model: bound.name, version: bound.version }),
      ...(arm !== undefined && { arm }),
      outcome,
      ms,
    };
    this.#reports.push(report);
    this.#dependencies.events?.onStep?.(report);
  }

  #at(index: number): { readonly step: RunStep; readonly run: StepRun } {
    const step = this.#steps[index];
    const run = this.#runs[index];
    if (step === undefined || run === undefined)
      throw new AppError('INTERNAL', { message: `there is no step ${index}` });
    return { step, run };
  }
}
