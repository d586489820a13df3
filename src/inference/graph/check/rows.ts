import type { TensorSpec } from '../../../tensor/tensor.ts';
import type { MemberIndex, PlannedCall, PlannedStep, PlannedTarget } from '../graph-plan.ts';
import { hasRows } from './tensors/tensor-form.ts';

/** Whether no step makes rows change each other, as far as rules and shapes tell. */
export function isRowWise(steps: readonly PlannedStep[], inputs: readonly TensorSpec[]): boolean {
  const readsRows = steps.some((step) => step.kind === 'switch' && step.arms.some(({ rule }) => rule.readsRows));
  return !readsRows && inputs.every(hasRows) && steps.every((step) => step.outputs.every(hasRows) && takesRows(step));
}

function takesRows(step: PlannedStep): boolean {
  return targetsOf(step).every((target) => {
    const wires = target.kind === 'call' ? target.inputs : target.outputs;
    return [...wires.values()].every(({ to }) => hasRows(to));
  });
}

/** Members whose rows must be independent, since a switch gives them some of the rows of a request. */
export function membersOfRows(steps: readonly PlannedStep[]): readonly MemberIndex[] {
  const members = new Set<MemberIndex>();
  for (const step of steps) {
    if (step.kind !== 'switch' || !step.perRow) continue;
    for (const target of targetsOf(step)) {
      if (target.kind !== 'call') continue;
      members.add(target.member);
      if (target.fallback !== undefined && 'member' in target.fallback) members.add(target.fallback.member);
    }
  }
  return [...members];
}

function targetsOf(step: PlannedStep): readonly (PlannedTarget | PlannedCall)[] {
  if (step.kind === 'model') return [step.call];
  if (step.kind === 'combine') return [];
  const arms = step.arms.map(({ target }) => target);
  return step.otherwise === 'refuse' ? arms : [...arms, step.otherwise];
}
