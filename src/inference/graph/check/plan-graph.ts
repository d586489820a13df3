import type { TensorSpec } from '../../../tensor/tensor.ts';
import type { GraphDefinition } from '../graph-definition.ts';
import type { GraphPlan, PlannedStep, TensorSource } from '../graph-plan.ts';
import type { CompileRule } from '../rules.ts';
import { findAbsence } from './absence.ts';
import { compileRules } from './compile-rules.ts';
import { checkDeclaredInputs, serveOutputs, warnUnused } from './graph-face.ts';
import { GraphFaults } from './graph-faults.ts';
import { type FindMember, findMembers } from './members.ts';
import { type Order, orderSteps } from './order.ts';
import { planStep } from './plan-step.ts';
import { isRowWise, membersOfRows } from './rows.ts';
import { type LocatedStep, tableOfSteps } from './step-table.ts';
import { inferInputs } from './tensors/graph-inputs.ts';
import { KnownTensors } from './tensors/known-tensors.ts';
import { outputsOfStep } from './tensors/step-outputs.ts';
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
  tellCircles(circles, steps, faults);

  const asOutputs = new Set([...outputs.values()].map(({ step }) => step));
  const { required, absent } = findAbsence(steps, { sorted, needs, asOutputs });
  const used = usedTensors([...[...reads.values()].flat(), ...outputs.values()]);
  const planned = new Map<string, PlannedStep>();
  for (const [name, located] of steps) {
    const ofStep = {
      used: used.get(name) ?? new Set(),
      needs: needs.get(name) ?? [],
      required: required.get(name) ?? true,
    };
    const step = planStep(located, { tensors, faults, rules, ...ofStep });
    if (step !== undefined) planned.set(name, step);
  }

  const served = serveOutputs(outputs, { tensors, absent, faults });
  checkDeclaredInputs(definition, used.get('input') ?? new Set(), faults);
  if (inputs.size === 0 && faults.isEmpty) {
    faults.add(
      ['steps'],
      'no_input',
      'nothing reads an input, so that a request has no rows; expected an "input.name"',
    );
  }
  if (outputs.size === 0 && faults.isEmpty) {
    faults.add(['outputs'], 'no_output', 'the graph gives nothing; expected at least one "step.output"');
  }
  faults.throwIfAny();

  const inOrder = sorted.map((name) => planned.get(name)).filter((step) => step !== undefined);
  const specs: TensorSpec[] = [...inputs].flatMap(([name, form]) => (form === undefined ? [] : [{ ...form, name }]));
  return {
    signature: { inputs: specs, outputs: served },
    rowWise: isRowWise(inOrder, specs),
    needIndependent: membersOfRows(inOrder),
    steps: inOrder,
    outputs,
    readsRequest: [...rules.values()].some((rule) => rule.readsRequest),
    headers: definition.headers,
    maxInFlight: definition.maxInFlight,
    maxInFlightBytes: definition.maxInFlightBytes,
    warnings: warnUnused(needs, asOutputs),
  };
}

function stepsOf(sources: readonly TensorSource[]): string[] {
  return [...new Set(sources.map(({ step }) => step))].filter((step) => step !== 'input');
}

/** Names of tensors that anything reads, by step. */
function usedTensors(sources: readonly TensorSource[]): ReadonlyMap<string, ReadonlySet<string>> {
  const byStep = Map.groupBy(sources, ({ step }) => step);
  return new Map([...byStep].map(([step, ofStep]) => [step, new Set(ofStep.map(({ tensor }) => tensor))]));
}

function tellCircles(circles: Order['circles'], steps: ReadonlyMap<string, LocatedStep>, faults: GraphFaults): void {
  for (const circle of circles) {
    const at = steps.get(circle[0] ?? '')?.index ?? 0;
    faults.add(['steps', at], 'circle', `needs itself: ${circle.join(' → ')}`);
  }
}
