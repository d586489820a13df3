import type { GraphDependencies } from './models/graph/assemble-graph.ts';
import type { ServedCounters } from './served/served-counters.ts';
import { predictMember } from './serving/predict-member.ts';
import type { Clock } from './timing/clock.ts';

/** What graphs need of the rest of the program; what rules are compiled by is loaded with the first graph that has some. */
export function graphDependencies({
  counters,
  clock,
  eventsOf,
}: {
  /** Where a step counts as a request of its member. */
  readonly counters: ServedCounters;
  readonly clock: Clock;
  readonly eventsOf?: GraphDependencies['eventsOf'];
}): GraphDependencies {
  return {
    predictMember: (lease, inputs, context) => predictMember(lease, inputs, context, { counters, clock }),
    loadRules: async () => (await import('./rules/cel-rules.ts')).createRuleCompiler(),
    clock,
    eventsOf,
  };
}
