import { AppError } from '../../../errors.ts';
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
