import { AppError, toAppError } from '../../errors.ts';
import type { MemberFacts } from '../../inference/graph/graph-binding.ts';
import type { GraphDefinition } from '../../inference/graph/graph-definition.ts';
import type { GraphPlan } from '../../inference/graph/graph-plan.ts';
import type { Predictor } from '../../inference/predictor.ts';
import { parseReference } from '../../names/reference.ts';
import type { Signature } from '../../tensor/tensor.ts';
import type { BoundVersion } from '../assembled.ts';
import { isElsewhere } from '../elsewhere.ts';
import { circleThrough } from '../registry/circle-through.ts';
import { madeOfItself } from '../registry/dependency-order.ts';
import type { Members, MemberVersion } from '../registry/lease.ts';
import { referencesOf } from './members-of-graph.ts';

/** Most graphs that stand on each other, the first one counted. */
const mostDepth = 8;

/** Checks a graph against its members, which are told by what names them in the file. */
export type PlanGraph = (
  definition: GraphDefinition,
  member: (reference: string) => { readonly index: number; readonly facts: MemberFacts } | { readonly fault: string },
) => GraphPlan;

/** A plan, and the versions that it was checked against, by the index that the plan names. */
export interface BoundPlan {
  readonly plan: GraphPlan;
  readonly members: readonly BoundModel[];
  /** Every version of them that requests may get. */
  readonly versions: readonly BoundVersion[];
  readonly depth: number;
  /** Whether a rule of the graph, or of a graph that it stands on, reads more than tensors. */
  readonly readsRequest: boolean;
}

/** A member, and the version that the plan was checked against. */
export interface BoundModel extends BoundVersion {
  readonly signature: Signature;
  /** Versions of the same signature among which its requests are split; none where they are not, or one is named. */
  readonly arms: readonly string[];
}

interface Member {
  readonly facts: MemberFacts;
  readonly arms: readonly string[];
  readonly readsRequest: boolean;
  readonly depth: number;
}

/** @throws AppError `GRAPH_INVALID` with every fault, `MODEL_NOT_READY` that names every member that is not, `MODEL_LOAD_FAILED` when it would stand on itself */
export function bindGraph({
  name,
  definition,
  members: registry,
  planGraph,
}: {
  readonly name: string;
  readonly definition: GraphDefinition;
  readonly members: Members;
  readonly planGraph: PlanGraph;
}): BoundPlan {
  const references = [...new Set(definition.steps.flatMap(referencesOf))];
  const found = new Map(references.map((reference) => [reference, find(registry, reference)]));
  const circle = circleThrough(
    name,
    [...found.values()].filter((member) => member !== undefined),
    registry,
  );
  if (circle !== undefined) throw madeOfItself(circle);
  const notReady = missingMembers(found);
  const bound: Member[] = [];
  const bind = (reference: string) => {
    const loaded = found.get(reference);
    const member = memberOf(loaded, armsOf(registry, reference));
    if (member === undefined) return { fault: `${reference} is not ready: ${reasonOf(loaded)}` };
    const { name, version } = member.facts;
    const known = bound.findIndex(
      ({ facts, arms }) => facts.name === name && facts.version === version && arms.length === member.arms.length,
    );
    if (known >= 0) return { index: known, facts: member.facts };
    bound.push(member);
    return { index: bound.length - 1, facts: member.facts };
  };
  const plan = planUnlessWaiting(notReady, () => planGraph(definition, bind));
  const depth = 1 + Math.max(0, ...bound.map((member) => member.depth));
  if (depth > mostDepth) {
    throw new AppError('GRAPH_INVALID', {
      message: `The graph stands on graphs ${depth} deep; expected at most ${mostDepth}`,
      received: depth,
      expected: mostDepth,
    });
  }
  return {
    plan,
    members: bound.map(({ facts, arms }) => ({ ...facts, arms })),
    versions: bound.flatMap(({ facts: { name: member, version }, arms }) =>
      [...new Set([version, ...arms])].map((one) => ({ name: member, version: one })),
    ),
    depth,
    // An answer of a member whose requests are split is one of those who are sent to the same version.
    readsRequest: plan.readsRequest || bound.some((member) => member.readsRequest || member.arms.length > 0),
  };
}

function find(registry: Members, reference: string): MemberVersion | undefined {
  const parsed = parseReference(reference);
  return parsed && registry.find(parsed.name, parsed.selector);
}

/** A member that is named without a version follows the split of its requests. */
function armsOf(registry: Members, reference: string): readonly string[] {
  const parsed = parseReference(reference);
  return parsed === undefined || parsed.selector !== undefined ? [] : registry.arms(parsed.name);
}

function memberOf(loaded: MemberVersion | undefined, arms: readonly string[]): Member | undefined {
  const predictor: Predictor | undefined = loaded?.predictor;
  if (loaded === undefined || predictor === undefined) return undefined;
  const { name, version, binding } = loaded;
  return {
    facts: { name, version, signature: predictor.signature },
    arms,
    depth: binding?.depth ?? 0,
    readsRequest: binding?.readsRequest ?? false,
  };
}

/** A graph that waits for members says what else is wrong with it at once: that is to be mended in any case. */
function planUnlessWaiting(notReady: AppError | undefined, plan: () => GraphPlan): GraphPlan {
  if (notReady === undefined) return plan();
  try {
    plan();
  } catch (thrown) {
    const error = toAppError(thrown);
    const isOfFile = error.faults.some(({ type }) => type !== 'member_unavailable');
    throw error.code !== 'GRAPH_INVALID' || isOfFile ? error : notReady;
  }
  throw notReady;
}

function reasonOf(loaded: MemberVersion | undefined): string {
  return loaded?.reason ?? 'there is no such model';
}

function missingMembers(found: ReadonlyMap<string, MemberVersion | undefined>): AppError | undefined {
  const missing = [...found].filter(([, loaded]) => loaded?.predictor === undefined);
  if (missing.length === 0) return undefined;
  const reasons = missing.map(([reference, loaded]) => `${reference} (${reasonOf(loaded)})`);
  const causes = missing.map(([, loaded]) => loaded?.error);
  return new AppError('MODEL_NOT_READY', {
    message: `Members of the graph are not ready: ${reasons.join(', ')}`,
    received: missing.map(([reference]) => reference),
    retryAfterSeconds: 1,
    // What is down only elsewhere says so by its cause.
    cause: causes.find((error) => error === undefined || !isElsewhere(error)) ?? causes[0],
  });
}
