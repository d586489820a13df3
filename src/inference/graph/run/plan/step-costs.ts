import type { BoundMember } from '../../graph-binding.ts';
import type { PlannedCall, PlannedTarget } from '../../graph-plan.ts';
import type { RunPlan, RunStep } from './run-plan.ts';

/** What the steps of a run cost at least, in milliseconds. */
export interface StepCosts {
  /** From the beginning of the request to its answer, over the steps that it cannot do without. */
  readonly wholeMs: number;
  /** By step, from its end to the answer. */
  readonly afterMs: readonly number[];
}

export function costsOfSteps(plan: RunPlan, members: readonly BoundMember[], rows: number): StepCosts {
  return plan.inSequence ? costsInSequence(plan, members, rows) : costsOfPaths(plan, members, rows);
}

function costsInSequence({ steps }: RunPlan, members: readonly BoundMember[], rows: number): StepCosts {
  const afterMs = new Array<number>(steps.length);
  let wholeMs = 0;
  for (let index = steps.length - 1; index >= 0; index -= 1) {
    const step = steps[index];
    afterMs[index] = wholeMs;
    if (step !== undefined) wholeMs += leastMsOf(step, members, rows);
  }
  return { wholeMs, afterMs };
}

function costsOfPaths({ steps }: RunPlan, members: readonly BoundMember[], rows: number): StepCosts {
  // What can be done without takes no time of what cannot, but of what is optional itself.
  const requiredMs = new Array<number>(steps.length).fill(0);
  const optionalMs = new Array<number>(steps.length).fill(0);
  let wholeMs = 0;
  for (let index = steps.length - 1; index >= 0; index -= 1) {
    const runStep = steps[index];
    if (runStep === undefined) continue;
    const leastMs = leastMsOf(runStep, members, rows);
    const isRequired = runStep.step.required || runStep.isOutput;
    const throughMs = (requiredMs[index] ?? 0) + (isRequired ? leastMs : 0);
    const throughOptionalMs = isRequired ? throughMs : (optionalMs[index] ?? 0) + leastMs;
    for (const need of runStep.needs) {
      requiredMs[need] = Math.max(requiredMs[need] ?? 0, throughMs);
      optionalMs[need] = Math.max(optionalMs[need] ?? 0, throughOptionalMs);
    }
    wholeMs = Math.max(wholeMs, throughMs);
  }
  const afterMs = steps.map(({ step, isOutput }, index) =>
    step.required || isOutput ? (requiredMs[index] ?? 0) : (optionalMs[index] ?? 0),
  );
  return { wholeMs, afterMs };
}

function leastMsOf({ step }: RunStep, members: readonly BoundMember[], rows: number): number {
  if (step.kind === 'combine') return 0;
  if (step.kind === 'model') return leastMsOfCall(step.call, members, rows);
  const targets = step.arms.map(({ target }) => target);
  if (step.otherwise !== 'refuse') targets.push(step.otherwise);
  // Which arm takes the rows, and how many of them, is not known yet.
  const armRows = step.perRow ? Math.min(rows, 1) : rows;
  return Math.min(...targets.map((target) => leastMsOfTarget(target, members, armRows)));
}

function leastMsOfTarget(target: PlannedTarget, members: readonly BoundMember[], rows: number): number {
  return target.kind === 'use' ? 0 : leastMsOfCall(target, members, rows);
}

function leastMsOfCall({ member, fallback }: PlannedCall, members: readonly BoundMember[], rows: number): number {
  const leastMs = members[member]?.leastMs(rows) ?? 0;
  if (fallback === undefined) return leastMs;
  return 'rows' in fallback ? 0 : Math.min(leastMs, members[fallback.member]?.leastMs(rows) ?? 0);
}
