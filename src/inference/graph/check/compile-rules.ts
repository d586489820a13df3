import type { TensorSpec } from '../../../tensor/tensor.ts';
import type { ArmDefinition, GraphDefinition } from '../graph-definition.ts';
import { type CompiledRule, type CompileRule, RuleError, type RuleScope } from '../rules.ts';
import type { GraphFaults } from './graph-faults.ts';
import type { LocatedStep } from './step-table.ts';
import type { KnownTensors, StepOutputs } from './tensors/known-tensors.ts';
import type { GraphRules } from './usage.ts';

/** Whether a graph has rules: what compiles them is loaded only then. */
export function hasRules({ steps }: GraphDefinition): boolean {
  return steps.some((step) => 'switch' in step);
}

/** Compiles the rules of all switches; those that cannot be used are faults. */
export function compileRules(
  headers: readonly string[],
  steps: ReadonlyMap<string, LocatedStep>,
  { tensors, faults, compileRule }: { tensors: KnownTensors; faults: GraphFaults; compileRule: CompileRule },
): GraphRules {
  const outputs = new Map<string, StepOutputs | undefined>([['input', tensors.inputs]]);
  for (const name of steps.keys()) outputs.set(name, tensors.outputsOf(name));
  const scope: RuleScope = { headers, tensors: new Map([...outputs].map(([name, of]) => [name, specsOf(of)])) };
  const hidden = [...outputs].filter(([, of]) => of === undefined || [...of.values()].includes(undefined));
  const rules = new Map<ArmDefinition, CompiledRule>();
  for (const { index, step } of steps.values()) {
    if (!('switch' in step)) continue;
    for (const [place, arm] of step.switch.entries()) {
      // What a fault hides would be called misspelt.
      if (hidden.some(([name]) => new RegExp(`\\b${name}\\.`).test(arm.when))) continue;
      try {
        rules.set(arm, compileRule(arm.when, scope));
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        faults.add(['steps', index, 'switch', place, 'when'], 'rule', error.message);
      }
    }
  }
  return rules;
}

function specsOf(outputs: StepOutputs | undefined): TensorSpec[] {
  return [...(outputs ?? [])].flatMap(([name, form]) => (form === undefined ? [] : [{ name, ...form }]));
}
