import type {
  GraphPlan,
  MemberIndex,
  PlannedCall,
  PlannedStep,
  PlannedTarget,
} from '../../inference/graph/graph-plan.ts';
import type { BoundStep, BoundVersion } from '../assembled.ts';

/** Without these, requests fail: members of steps that are required, and in whose place nothing else is asked. */
export function essentialMembers({ steps }: GraphPlan): readonly MemberIndex[] {
  const calls = steps.filter(({ required }) => required).flatMap(targetsOf);
  return [
    ...new Set(
      calls.flatMap((target) => (target.kind === 'call' && target.fallback === undefined ? [target.member] : [])),
    ),
  ];
}

/** What the steps of a plan are, for people. */
export function boundSteps({ steps }: GraphPlan, members: readonly BoundVersion[]): readonly BoundStep[] {
  return steps.map((step) => ({
    name: step.name,
    kind: step.kind,
    needs: step.needs.length === 0 ? ['input'] : step.needs,
    inputs: step.kind === 'model' ? sourcesOf(step.call) : {},
    outputs: step.outputs.map(({ name }) => name),
    members: membersOf(step).flatMap((index) => members[index] ?? []),
  }));
}

/** Where each output of the graph comes from. */
export function boundOutputs({ outputs }: GraphPlan): Readonly<Record<string, string>> {
  return Object.fromEntries([...outputs].map(([output, { step, tensor }]) => [output, `${step}.${tensor}`]));
}

function sourcesOf({ inputs }: PlannedCall): Readonly<Record<string, string>> {
  const sources = [...inputs].flatMap(([input, { from }]) =>
    'row' in from ? [] : [[input, `${from.step}.${from.tensor}`] as const],
  );
  return Object.fromEntries(sources);
}

function membersOf(step: PlannedStep): readonly MemberIndex[] {
  const indices = targetsOf(step).flatMap((target) => {
    if (target.kind === 'use') return [];
    const { member, fallback } = target;
    return fallback !== undefined && 'member' in fallback ? [member, fallback.member] : [member];
  });
  return [...new Set(indices)];
}

function targetsOf(step: PlannedStep): readonly PlannedTarget[] {
  if (step.kind === 'model') return [step.call];
  if (step.kind === 'combine') return [];
  return [...step.arms.map(({ target }) => target), ...(step.otherwise === 'refuse' ? [] : [step.otherwise])];
}
