import { isDeepStrictEqual } from 'node:util';
import type {
  GraphPlan,
  MemberIndex,
  PlannedStep,
  PlannedTarget,
  TensorSource,
} from '../../inference/graph/graph-plan.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import type { BoundVersion } from '../assembled.ts';
import type { Manifest } from '../manifest.ts';
import type { Members } from '../registry/lease.ts';

type Labels = readonly string[] | undefined;

/** Class names of the outputs that a graph passes through: those of the member, or of all members that may give them. */
export function inheritedLabels(
  { plan, members }: { readonly plan: GraphPlan; readonly members: readonly BoundVersion[] },
  registry: Members,
): Manifest['labels'] {
  const labelsOfMember = (index: MemberIndex, output: string): Labels => {
    const bound = members[index];
    const member = bound && registry.find(bound.name, bound.version);
    return member && classNamesOf(member.manifest.labels, output);
  };
  const steps = new Map(plan.steps.map((step) => [step.name, step]));
  const labelsOf = (source: TensorSource): Labels => {
    const step = steps.get(source.step);
    return step && common(labelsOfStep(step, source.tensor));
  };
  const labelsOfTarget = (target: PlannedTarget, output: string): Labels => {
    if (target.kind === 'call') return labelsOfMember(target.member, output);
    const from = target.outputs.get(output)?.from;
    return from === undefined || 'row' in from ? undefined : labelsOf(from);
  };
  const labelsOfStep = (step: PlannedStep, output: string): readonly Labels[] => {
    if (step.kind === 'model') return [labelsOfMember(step.call.member, output)];
    if (step.kind === 'switch') {
      const others = step.otherwise === 'refuse' ? [] : [step.otherwise];
      return [...step.arms.map(({ target }) => target), ...others].map((target) => labelsOfTarget(target, output));
    }
    if (step.combine === 'vote' && output === 'value') return step.of.map(labelsOf);
    if (step.combine === 'first' || step.combine === 'fastest') {
      return step.of.map((source) => labelsOf({ step: source.step, tensor: output }));
    }
    return [];
  };
  const entries = [...plan.outputs].flatMap(([output, source]) => {
    const labels = labelsOf(source);
    return labels === undefined ? [] : [[output, [...labels]] satisfies [string, string[]]];
  });
  return Object.fromEntries<string[]>(entries);
}

/** Labels that all have. */
function common([first, ...others]: readonly Labels[]): Labels {
  return others.every((labels) => isDeepStrictEqual(labels, first)) ? first : undefined;
}
