import { AppError } from '../../errors.ts';
import type { GraphDefinition, StepDefinition } from '../../inference/graph/graph-definition.ts';
import { parseReference } from '../../names/reference.ts';
import type { GraphArtifact } from '../artifact.ts';

/** The models that a graph is made of, those in place of others among them; none where the file is at fault. */
export function membersOfGraph(definition: GraphDefinition | AppError): Pick<GraphArtifact, 'members' | 'selections'> {
  if (definition instanceof AppError) return { members: [], selections: [] };
  const references = definition.steps.flatMap(referencesOf).flatMap((text) => parseReference(text) ?? []);
  const members = [...new Set(references.map(({ name }) => name))];
  const selections = references.flatMap(({ name, selector }) => (selector === undefined ? [] : [{ name, selector }]));
  return { members, selections };
}

/** What a step names, as it is written. */
export function referencesOf(step: StepDefinition): readonly string[] {
  if ('combine' in step) return [];
  if (!('switch' in step)) return namedBy(step);
  return [...step.switch, ...(step.otherwise === 'refuse' ? [] : [step.otherwise])].flatMap(namedBy);
}

function namedBy(call: object): readonly string[] {
  const { model, fallback }: { model?: unknown; fallback?: unknown } = call;
  return [model, fallback].filter((named) => typeof named === 'string');
}
