import { AppError } from '../../../errors.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { noTimings } from '../../timings.ts';
import { combine } from '../combine/combine.ts';
import type { PlannedCombineStep, TensorSource } from '../graph-plan.ts';
import type { RunStep } from './plan/run-plan.ts';
import { runCall, type StepResult } from './run-call.ts';
import type { StepScope } from './step-scope.ts';
import { runSwitch } from './switch/run-switch.ts';

/**
 * Runs a step whose tensors are there.
 *
 * @throws AppError why it failed
 */
export function runStep({ step, asks, used }: RunStep, scope: StepScope): Promise<StepResult> {
  switch (step.kind) {
    case 'model':
      return runCall(step.call, asks, scope);
    case 'switch':
      return runSwitch(step, { asks, used }, scope);
    case 'combine':
      throw new AppError('INTERNAL', { message: 'a combination is decided, not run' });
  }
}

/** What a combination gives of those of `of` that take part. */
export function runCombination(
  step: PlannedCombineStep,
  taken: readonly number[],
  { used, read }: { readonly used: readonly string[]; readonly read: (source: TensorSource) => Tensor },
): StepResult {
  if (step.combine === 'first' || step.combine === 'fastest') {
    const winner = step.of[taken[0] ?? 0]?.step ?? '';
    const outputs = used.map((tensor) => [tensor, read({ step: winner, tensor })]);
    return { outputs: Object.fromEntries(outputs), timings: noTimings, outcome: 'ok' };
  }
  const parts = taken.flatMap((index) => {
    const source = step.of[index];
    return source === undefined ? [] : [{ tensor: read(source), step: source.step, weight: step.weights[index] ?? 1 }];
  });
  return { outputs: combine(step, parts), timings: noTimings, outcome: 'ok' };
}
