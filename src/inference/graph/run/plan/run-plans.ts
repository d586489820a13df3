import type { GraphPlan } from '../../graph-plan.ts';
import { planRun, type RunPlan } from './run-plan.ts';

/** Most sets of wanted outputs whose plans are kept. */
const mostKept = 64;

/** Plans of runs, each made once for a graph and the outputs that are wanted. */
export class RunPlans {
  readonly #byGraph = new WeakMap<GraphPlan, { whole: RunPlan; readonly parts: Map<string, RunPlan> }>();
  /** The one that nearly every request asks for. */
  #last: { readonly plan: GraphPlan; readonly whole: RunPlan } | undefined;

  of(plan: GraphPlan, wanted: readonly string[] | undefined): RunPlan {
    if (wanted === undefined && plan === this.#last?.plan) return this.#last.whole;
    let known = this.#byGraph.get(plan);
    if (known === undefined) {
      known = { whole: planRun(plan, undefined), parts: new Map() };
      this.#byGraph.set(plan, known);
    }
    if (wanted === undefined) {
      this.#last = { plan, whole: known.whole };
      return known.whole;
    }
    const key = JSON.stringify(wanted.toSorted());
    const part = known.parts.get(key) ?? planRun(plan, wanted);
    if (known.parts.size >= mostKept) known.parts.clear();
    known.parts.set(key, part);
    return part;
  }
}
