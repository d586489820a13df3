import { AppError, toAppError } from '../../../errors.ts';
import { clientGone, deadlineExceeded } from '../../batcher/refusals.ts';
import type { PredictContext, Prediction } from '../../predictor.ts';
import type { PlannedCombineStep } from '../graph-plan.ts';
import type { RuleRequest } from '../rules.ts';
import { combinationError } from './combination/combination-error.ts';
import { decideCombination } from './combination/decide-combination.ts';
import { runCombination } from './combination/run-combination.ts';
import { namedOutputs } from './named-outputs.ts';
import type { StepResult } from './run-call.ts';
import { type RunDependencies, type RunRequest, withoutOutputs } from './run-request.ts';
import { runStep } from './run-step.ts';
import { errorOfStep } from './step-error.ts';
import { type StepEnd, StepReports } from './step-reports.ts';
import { criticalPath, failuresOf, indexesThere, StepRun, standingsOf } from './step-run.ts';
import { failureOutcome, type StepScope } from './step-scope.ts';
import { readRuleRequest } from './switch/rule-request.ts';
import { TensorSlots } from './tensor-slots.ts';

/** One request on its way through a graph: each step begins when its tensors are there. */
export class GraphRun {
  readonly #request: RunRequest;
  readonly #dependencies: RunDependencies;
  readonly #runs: readonly StepRun[];
  readonly #slots: TensorSlots;
  readonly #reports: StepReports;
  readonly #context: PredictContext;
  readonly #settled = Promise.withResolvers<Prediction>();
  /** Of steps that are done without, in the order in which they failed. */
  readonly #failed: StepRun[] = [];
  #outputsLeft = 0;
  /** The step that gave the last output. */
  #last = -1;
  #underWay = 0;
  #failure: AppError | undefined;
  #isOver = false;
  #ruleRequest: RuleRequest | undefined;

  constructor(request: RunRequest, dependencies: RunDependencies) {
    const { plan, inputs, inFlight, context } = request;
    this.#request = request;
    this.#dependencies = dependencies;
    this.#context = withoutOutputs(context);
    this.#runs = plan.steps.map((step, index) => new StepRun(step, index));
    this.#slots = new TensorSlots(plan, inputs, inFlight);
    this.#reports = new StepReports(request, dependencies.events);
    for (const { isOutput } of plan.steps) if (isOutput) this.#outputsLeft += 1;
  }

  /** Settles after everything that was under way has. */
  async run(): Promise<Prediction> {
    const { context } = this.#request;
    const onAbort = () => this.#fail(clientGone());
    context.signal.addEventListener('abort', onAbort);
    try {
      for (const run of this.#runs) if (run.of.needs.length === 0) this.#begin(run, -1);
      this.#settleIfOver();
      return await this.#settled.promise;
    } finally {
      context.signal.removeEventListener('abort', onAbort);
      this.#slots.clear();
      this.#request.inFlight.leave();
    }
  }

  #begin(run: StepRun, cause: number): void {
    if (this.#isOver || run.state !== 'waiting') return;
    const { step } = run.of;
    run.cause = cause;
    run.startedMs = this.#dependencies.clock.now();
    if (step.kind === 'combine') this.#decide(run, step);
    else if (this.#request.context.signal.aborted) this.#fail(clientGone());
    else this.#start(run);
  }

  #start(run: StepRun): void {
    run.state = 'running';
    this.#underWay += 1;
    runStep(run.of, this.#scope(run))
      .then(
        (result) => this.#onResult(run, result),
        (thrown: unknown) => this.#onFailure(run, toAppError(thrown)),
      )
      .catch((thrown: unknown) => this.#settled.reject(toAppError(thrown)));
  }

  #scope(run: StepRun): StepScope {
    const { held, context, rows, afterMs } = this.#request;
    const { clock, events } = this.#dependencies;
    const controller = new AbortController();
    run.controller = controller;
    return {
      clock,
      events,
      members: held.members,
      context: this.#context,
      signal: controller.signal,
      deadlineMs: context.deadlineMs - (afterMs[run.index] ?? 0),
      isOptional: !run.isRequired,
      rows,
      ruleRequest: () => this.#readRuleRequest(),
      read: (source) => this.#slots.read(source),
      abort: () => this.#abort(run),
      report: (part) => {
        run.isReported = true;
        this.#reports.endArm(run.of, part);
      },
    };
  }

  #onResult(run: StepRun, result: StepResult): void {
    this.#underWay -= 1;
    if (run.state === 'running' && !this.#isOver) this.#finish(run, result);
    else this.#endUseless(run);
    this.#settleIfOver();
  }

  #onFailure(run: StepRun, error: AppError): void {
    this.#underWay -= 1;
    const { context } = this.#request;
    this.#reportEnd(run, { outcome: failureOutcome(error, run.controller ?? context) });
    if (run.state === 'running' && !this.#isOver) this.#lose(run, error);
    else this.#endUseless(run);
    this.#settleIfOver();
  }

  /** What nobody waits for any more has ended. */
  #endUseless(run: StepRun): void {
    this.#reportEnd(run, { outcome: 'skipped' });
    this.#releaseReads(run);
  }

  /** Keeps what a step has given, and goes on with what waited for it. */
  #finish(run: StepRun, { outputs, timings, outcome, member }: StepResult): void {
    const { used, gives, isOutput, readers } = run.of;
    this.#releaseReads(run);
    try {
      for (let at = 0; at < used.length; at += 1) {
        const tensor = outputs[used[at] ?? ''];
        if (tensor === undefined) throw new AppError('STEP_MISMATCH', { message: `output ${used[at]} is missing` });
        this.#slots.put(gives[at] ?? -1, tensor);
      }
    } catch (thrown) {
      this.#reportEnd(run, { outcome: 'failed', member });
      this.#lose(run, toAppError(thrown));
      return;
    }
    run.timings = timings;
    run.state = 'done';
    this.#reportEnd(run, { outcome, member });
    if (isOutput) {
      this.#outputsLeft -= 1;
      this.#last = run.index;
    }
    this.#release(run);
    for (const reader of readers) this.#onNeedEnded(this.#at(reader), run.index);
  }

  /** A step has failed: so has the request, unless it can do without. */
  #lose(run: StepRun, error: AppError): void {
    this.#loseBy(run, errorOfStep(run.name, error));
  }

  #loseBy(run: StepRun, failure: AppError): void {
    if (this.#request.context.signal.aborted) this.#fail(clientGone());
    else if (run.isRequired) this.#fail(failure);
    else this.#miss(run, failure);
  }

  /** The request goes on without a step, and without what needs it. */
  #miss(run: StepRun, failure: AppError): void {
    run.state = 'absent';
    run.failure = failure;
    this.#failed.push(run);
    this.#release(run);
    for (const index of run.of.readers) {
      const reader = this.#at(index);
      if (reader.of.step.kind === 'combine') this.#onNeedEnded(reader, run.index);
      else if (reader.state === 'waiting') {
        this.#reportEnd(reader, { outcome: 'skipped' });
        this.#loseBy(reader, failure);
      }
    }
  }

  #onNeedEnded(run: StepRun, cause: number): void {
    run.unmet -= 1;
    if (run.of.step.kind === 'combine' || run.unmet === 0) this.#begin(run, cause);
  }

  #decide(run: StepRun, step: PlannedCombineStep): void {
    const decision = decideCombination(step, standingsOf(run, this.#runs));
    if (decision.kind === 'take') this.#combine(run, step, decision.indexes);
    if (decision.kind === 'enough') {
      run.stopWaiting ??= this.#dependencies.clock.setTimer(step.waitMs ?? 0, () => {
        this.#combine(run, step, indexesThere(run, this.#runs));
        this.#settleIfOver();
      });
    }
    if (decision.kind !== 'fail') return;
    run.stopWaiting?.();
    this.#reportEnd(run, { outcome: 'failed' });
    this.#lose(run, combinationError(step, failuresOf(run, this.#failed)));
  }

  #combine(run: StepRun, step: PlannedCombineStep, taken: readonly number[]): void {
    if (run.state !== 'waiting' || this.#isOver) return;
    run.stopWaiting?.();
    let result: StepResult;
    try {
      result = runCombination(step, taken, { used: run.of.used, read: (source) => this.#slots.read(source) });
    } catch (thrown) {
      this.#reportEnd(run, { outcome: 'failed' });
      this.#lose(run, toAppError(thrown));
      return;
    }
    this.#finish(run, result);
  }

  /** A step has ended: what only it still read is dropped, and what only it still waited for is ended. */
  #release(run: StepRun): void {
    this.#releaseReads(run);
    for (const index of run.of.needs) {
      const need = this.#at(index);
      need.interest -= 1;
      if (need.interest > 0) continue;
      if (need.state === 'running') {
        need.state = 'absent';
        this.#abort(need);
      } else if (need.state === 'waiting') {
        need.state = 'absent';
        need.stopWaiting?.();
        this.#reportEnd(need, { outcome: 'skipped' });
        this.#release(need);
      }
    }
  }

  #releaseReads(run: StepRun): void {
    if (run.hasRead) return;
    run.hasRead = true;
    this.#slots.release(run.of.reads);
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
    const { context, plan, inputs, rows, beganMs } = this.#request;
    const nowMs = this.#dependencies.clock.now();
    if (this.#failure !== undefined) this.#settled.reject(this.#failure);
    else if (nowMs > context.deadlineMs) this.#settled.reject(deadlineExceeded());
    else {
      const outputs = namedOutputs(plan, inputs, (source) => this.#slots.read(source));
      const timings = criticalPath(this.#runs, this.#last);
      this.#dependencies.events?.onAnswer?.(rows, nowMs - beganMs);
      this.#settled.resolve({ outputs, timings, steps: this.#reports.all });
    }
  }

  /** The first word counts, which the arms of a switch have. */
  #reportEnd(run: StepRun, end: StepEnd): void {
    if (run.isReported) return;
    run.isReported = true;
    const ms = run.startedMs === undefined ? 0 : this.#dependencies.clock.now() - run.startedMs;
    this.#reports.end(run.of, end, ms);
  }

  #readRuleRequest(): RuleRequest {
    const { context, held, rows } = this.#request;
    this.#ruleRequest ??= readRuleRequest(context, held.plan.headers, rows);
    return this.#ruleRequest;
  }

  #at(index: number): StepRun {
    const run = this.#runs[index];
    if (run === undefined) throw new AppError('INTERNAL', { message: `there is no step ${index}` });
    return run;
  }
}
