import type { MemberFacts } from '../graph-binding.ts';
import type { MemberIndex } from '../graph-plan.ts';
import type { GraphFaults, Location } from './graph-faults.ts';
import type { CallDefinition, LocatedStep } from './step-table.ts';

export interface FoundMember {
  readonly index: MemberIndex;
  readonly facts: MemberFacts;
}

/** Finds a member by its reference, or says why there is none. */
export type FindMember = (reference: string) => FoundMember | { readonly fault: string };

/** The members of a graph, by what calls them; those that are missing are not in it. */
export interface GraphMembers {
  readonly called: ReadonlyMap<CallDefinition, FoundMember>;
  readonly fallbacks: ReadonlyMap<CallDefinition, FoundMember>;
}

/** Members that are missing are faults of the type `member_unavailable`. */
export function findMembers(
  steps: ReadonlyMap<string, LocatedStep>,
  find: FindMember,
  faults: GraphFaults,
): GraphMembers {
  const called = new Map<CallDefinition, FoundMember>();
  const fallbacks = new Map<CallDefinition, FoundMember>();
  const keep = (into: Map<CallDefinition, FoundMember>, call: CallDefinition, reference: string, at: Location) => {
    const found = find(reference);
    if ('fault' in found) faults.add(at, 'member_unavailable', found.fault);
    else into.set(call, found);
  };
  for (const { targets } of steps.values()) {
    for (const { location, call } of targets) {
      if (call === undefined) continue;
      keep(called, call, call.model, [...location, 'model']);
      if (typeof call.fallback === 'string') keep(fallbacks, call, call.fallback, [...location, 'fallback']);
    }
  }
  return { called, fallbacks };
}

/** As in `sentiment 1`. */
export function memberText({ facts }: FoundMember): string {
  return `${facts.name} ${facts.version}`;
}
