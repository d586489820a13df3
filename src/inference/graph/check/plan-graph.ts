import type { TensorSpec } from '../../../tensor/tensor.ts';
import type { GraphDefinition } from '../graph-definition.ts';
import type { GraphPlan, PlannedStep, TensorSource } from '../graph-plan.ts';
import type { CompileRule } from '../rules.ts';
import { findAbsence } from './absence.ts';
import { compileRules } from './compile-rules.ts';
import { GraphFaults } from './graph-faults.ts';
import { inferInputs } from './graph-inputs.ts';
import { KnownTensors } from './known-tensors.ts';
import { type FindMember, findMembers } from './members.ts';
import { orderSteps } from './order.ts';
import { type PlanningStep, planStep } from './plan-step.ts';
import { isRowWise, membersOfRows } from './rows.ts';
import { outputsOfStep } from './step-outputs.ts';
import { didYouMean, tableOfSteps } from './step-table.ts';
import { outputSources, readsOfStep } from './usage.ts';

/**
 * Checks a graph against its members, and plans how it runs.
 *
 * @param find gives a member by its reference, as the file writes it
 * @param compileRule is not called where the graph has no rules (`hasRules`)
 * @throws AppError `GRAPH_INVALID` with every fault: its path in the file, what was found and what fits. What a fault hides
 * is not told as another one. A member that is missing is a fault of the type `member_unavailable`
 */
export function planGraph(definition: GraphDefinition, find: FindMember, compileRule: CompileRule): GraphPlan {
  const faults = new GraphFaults();
  const steps = tableOfSteps(definition, faults);
  const members = findMembers(steps, find, faults);
  const inputs = inferInputs(definition, steps, { members, faults });
  const tensors = new KnownTensors({ steps, members, inputs, outputsOfStep });
  const rules = compileRules(definition.headers, steps, { tensors, faults, compileRule });
  const outputs = outputSources(definition, tensors);
  const reads = new Map([...steps].map(([name, located]) => [name, readsOfStep(located, { tensors, rules })]));

  const needs = new Map([...reads].map(([name, sources]) => [name, stepsOf(sources)]));
  const { sorted, circles } = orderSteps(needs);
  for (const circle of circles) {
    const at = steps.get(circle[0] ?? '')?.index ?? 0;
    faults.add(['steps', at], 'circle', `needs itself: ${circle.join(' → ')}`);
  }

  const used = usedTensors([...reads.values()].flat(), outputs);
  const asOutputs = new Set([...outputs.values()].map(({ step }) => step));
  const { required, absent } = findAbsence(steps, { sorted, needs, asOutputs });
  const planned = new Map<string, PlannedStep>();
  for (const [name, located] of steps) {
    const planning: PlanningStep = {
      tensors,
      faults,
      rules,
      used: used.get(name) ?? new Set(),
      needs: needs.get(name) ?? [],
      required: required.get(name) ?? true,
    };
    const step = planStep(located, planning);
    if (step !== undefined) planned.set(name, step);
  }

  const served: TensorSpec[] = [];
  for (const [name, source] of outputs) {
    const at = ['outputs', name];
    const form = tensors.find(source, at, faults);
    const missing = absent.get(source.step);
    if (missing !== undefined) {
      const of = missing === source.step ? '' : `, since it needs ${missing}`;
      const what = `${source.step} may give nothing${of}; expected a "fallback" of ${missing}, or that it is required`;
      faults.add(at, 'optional_output', what);
    }
    if (form !== undefined) served.push({ name, ...form });
  }
  const readInputs = [...reads.values(), [...outputs.values()]].flat().filter(({ step }) => step === 'input');
  for (const name of Object.keys(definition.inputs)) {
    if (readInputs.some(({ tensor }) => tensor === name)) continue;
    const names = readInputs.map(({ tensor }) => tensor).filter((tensor) => !Object.hasOwn(definition.inputs, tensor));
    faults.add(['inputs', name], 'unused_input', `nothing reads input.${name}${didYouMean(name, names)}`);
  }
  faults.throwIfAny();

  const inOrder = sorted.map((name) => planned.get(name)).filter((step) => step !== undefined);
  const specs = [...inputs].flatMap(([name, form]) => (form === undefined ? [] : [{ name, ...form }]));
  const compiled = [...rules.values()];
  return {
    signature: { inputs: specs, outputs: served },
    rowWise: isRowWise(inOrder, specs),
    needIndependent: membersOfRows(inOrder),
    steps: inOrder,
    outputs,
    readsRequest: compiled.some((rule) => rule.readsRequest),
    headers: definition.headers,
    maxInFlight: definition.maxInFlight,
    maxInFlightBytes: definition.maxInFlightBytes,
    warnings: warnUnused(needs, asOutputs),
  };
}

function stepsOf(sources: readonly TensorSource[]): string[] {
  return [...new Set(sources.map(({ step }) => step))].filter((step) => step !== 'input');
}

function usedTensors(
  reads: readonly TensorSource[],
  outputs: ReadonlyMap<string, TensorSource>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const byStep = Map.groupBy([...reads, ...outputs.values()], ({ step }) => step);
  return new Map([...byStep].map(([step, sources]) => [step, new Set(sources.map(({ tensor }) => tensor))]));
}

/** Steps that no output of the graph needs never run. */
function warnUnused(needs: ReadonlyMap<string, readonly string[]>, asOutputs: ReadonlySet<string>): string[] {
  const used = new Set<string>();
  const visit = (step: string): void => {
    if (used.has(step)) return;
    used.add(step);
    for (const need of needs.get(step) ?? []) visit(need);
  };
  for (const step of asOutputs) visit(step);
  const unused = [...needs.keys()].filter((name) => !used.has(name));
  return unused.map((name) => `step ${JSON.stringify(name)} feeds no output and never runs`);
}
