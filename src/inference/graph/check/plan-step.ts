import type { PlannedStep } from '../graph-plan.ts';
import { type Planning, planCall } from './plan-call.ts';
import { planCombination } from './plan-combination.ts';
import { planSwitch } from './plan-switch.ts';
import type { LocatedStep } from './step-table.ts';
import type { GraphRules } from './usage.ts';

export interface PlanningStep extends Planning {
  readonly rules: GraphRules;
  /** Outputs of the step that anything uses. */
  readonly used: ReadonlySet<string>;
  readonly needs: readonly string[];
  readonly required: boolean;
}

/** Undefined when the step cannot be planned; what is wrong is a fault. */
export function planStep(located: LocatedStep, planning: PlanningStep): PlannedStep | undefined {
  const { step, index, targets } = located;
  const { tensors, needs, required, used } = planning;
  const forms = [...(tensors.outputsOf(step.name) ?? [])];
  const outputs = forms.flatMap(([name, form]) => (form === undefined ? [] : [{ name, ...form }]));
  const base = { name: step.name, needs, outputs, required };
  if ('combine' in step) return { ...base, ...planCombination(step, ['steps', index], planning) };
  if ('switch' in step) {
    const planned = planSwitch(located, step, planning);
    return planned && { ...base, ...planned };
  }
  const [target] = targets;
  const call = target?.call === undefined ? undefined : planCall(target, used, planning);
  return call && { ...base, kind: 'model', call };
}
