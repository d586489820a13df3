import { AppError, toAppError } from '../../../../errors.ts';
import { clientGone, deadlineExceeded } from '../../../batcher/refusals.ts';
import type { Prediction } from '../../../predictor.ts';
import type { Timings } from '../../../timings.ts';
import { runCombination } from '../combination/run-combination.ts';
import { namedOutputs } from '../named-outputs.ts';
import type { RunStep } from '../plan/run-plan.ts';
import { askMember, inputsOf, runCall, type StepResult } from '../run-call.ts';
import type { RunDependencies, RunRequest } from '../run-request.ts';
import { errorOfStep } from '../step-error.ts';
import { failureOutcome } from '../step-scope.ts';
import { runSwitch } from '../switch/run-switch.ts';
import { SequenceScope } from './sequence-scope.ts';

/**
 * Runs steps of which each begins when the one before it has ended, and none can be done without. What runs graphs of any
 * form could do it as well, but would cost main more than two small members do.
 */
export async function runSequence(request: RunRequest, dependencies: RunDependencies): Promise<Prediction> {
  const { plan, context, inputs } = request;
  const { clock } = dependencies;
  const scope = new SequenceScope(request, dependencies);
  let queueMs = 0;
  let batchMs = 0;
  let inferMs = 0;
  let batchRows = 0;
  try {
    for (let index = 0; index < plan.steps.length; index += 1) {
      const runStep = plan.steps[index];
      if (runStep === undefined) continue;
      if (index > 0 && context.signal.aborted) throw clientGone();
      scope.enter(runStep, index);
      let timings: Timings;
      try {
        const answer = await begin(runStep, scope);
        keep(runStep, answer.outputs, scope);
        scope.leave({ outcome: answer.outcome ?? 'ok', member: answer.member }, clock.now());
        timings = answer.timings;
      } catch (thrown) {
        const error = toAppError(thrown);
        scope.leave({ outcome: failureOutcome(error, context) }, clock.now());
        throw context.signal.aborted ? clientGone() : errorOfStep(runStep.step.name, error);
      }
      queueMs += timings.queueMs;
      batchMs += timings.batchMs;
      inferMs += timings.inferMs;
      if (timings.batchRows > batchRows) batchRows = timings.batchRows;
    }
    if (scope.startedMs > context.deadlineMs) throw deadlineExceeded();
    const outputs = namedOutputs(plan, inputs, scope.read);
    dependencies.events?.onAnswer?.(request.rows, scope.startedMs - request.beganMs);
    return { outputs, timings: { queueMs, batchMs, inferMs, batchRows }, steps: scope.reports.all };
  } finally {
    scope.slots.clear();
    request.inFlight.leave();
  }
}

type Answer = Pick<StepResult, 'outputs' | 'timings'> & Partial<StepResult>;

/** Without a fallback, the promise of the member is that of the step: each promise more is seen in the processor time. */
function begin({ step, asks, used }: RunStep, scope: SequenceScope): Promise<Answer> | Answer {
  switch (step.kind) {
    case 'model':
      if (step.call.fallback !== undefined) return runCall(step.call, asks, scope);
      return askMember(step.call, { inputs: inputsOf(step.call, scope), asks, scope });
    case 'switch':
      return runSwitch(step, { asks, used }, scope);
    case 'combine':
      return runCombination(step, [...step.of.keys()], { used, read: scope.read });
  }
}

function keep({ used, gives, reads }: RunStep, outputs: StepResult['outputs'], { slots }: SequenceScope): void {
  slots.release(reads);
  for (let at = 0; at < used.length; at += 1) {
    const name = used[at] ?? '';
    const tensor = outputs[name];
    if (tensor === undefined) throw new AppError('STEP_MISMATCH', { message: `output ${name} is missing` });
    slots.put(gives[at] ?? -1, tensor);
  }
}
