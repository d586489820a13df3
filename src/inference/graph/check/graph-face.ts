import type { TensorSpec } from '../../../tensor/tensor.ts';
import type { GraphDefinition } from '../graph-definition.ts';
import type { TensorSource } from '../graph-plan.ts';
import type { GraphFaults } from './graph-faults.ts';
import type { Needs } from './order.ts';
import { didYouMean } from './step-table.ts';
import { rulesMention } from './tensors/graph-inputs.ts';
import type { KnownTensors } from './tensors/known-tensors.ts';

/**
 * The outputs of the graph.
 *
 * @param absent steps that may give nothing, by the optional step that it is for: an answer cannot do without an output
 */
export function serveOutputs(
  outputs: ReadonlyMap<string, TensorSource>,
  { tensors, absent, faults }: { tensors: KnownTensors; absent: ReadonlyMap<string, string>; faults: GraphFaults },
): TensorSpec[] {
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
    if (form !== undefined) served.push({ ...form, name });
  }
  return served;
}

/** Inputs that the file says something of and nothing reads: clients would have to send them for nothing. */
export function checkDeclaredInputs(definition: GraphDefinition, read: ReadonlySet<string>, faults: GraphFaults): void {
  for (const name of Object.keys(definition.inputs)) {
    // Of a rule that cannot be compiled, it is not known what it reads.
    if (read.has(name) || rulesMention(definition, name)) continue;
    const others = [...read].filter((other) => !Object.hasOwn(definition.inputs, other));
    faults.add(['inputs', name], 'unused_input', `nothing reads input.${name}${didYouMean(name, others)}`);
  }
}

/** Steps that no output of the graph needs never run. */
export function warnUnused(needs: Needs, asOutputs: ReadonlySet<string>): string[] {
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
