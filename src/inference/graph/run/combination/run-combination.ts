import type { Tensor } from '../../../../tensor/tensor.ts';
import { noTimings } from '../../../timings.ts';
import { combine } from '../../combine/combine.ts';
import type { PlannedCombineStep, TensorSource } from '../../graph-plan.ts';
import type { StepResult } from '../run-call.ts';

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
