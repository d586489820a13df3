import type { CombineStepDefinition } from '../../graph-definition.ts';
import { GraphFaults } from '../graph-faults.ts';
import { type LocatedStep, parseSource, type TargetDefinition } from '../step-table.ts';
import { combinedOutputs, concatenatedForm } from './combined.ts';
import type { KnownTensors, StepOutputs } from './known-tensors.ts';
import { type TensorForm, unifyForms } from './tensor-form.ts';
import { resolveWire } from './wire.ts';

/** Outputs of a step as far as they can be known. Faults are those of whoever plans the step. */
export function outputsOfStep({ step, targets }: LocatedStep, tensors: KnownTensors): StepOutputs | undefined {
  if ('combine' in step) return outputsOfCombination(step, tensors);
  const all = targets.map((target) => outputsOfTarget(target, tensors)).filter((outputs) => outputs !== undefined);
  if (all.length === 0) return undefined;
  const known = unifyOutputs(all);
  const literals = targets
    .map((target) => outputsOfTarget(target, tensors, known))
    .filter((outputs) => outputs !== undefined);
  return unifyOutputs(literals);
}

/**
 * Outputs of a member, or of `use`.
 *
 * @param goals forms that literals take; without them literals have none
 */
export function outputsOfTarget(
  { call, use, location }: TargetDefinition,
  tensors: KnownTensors,
  goals?: StepOutputs,
): StepOutputs | undefined {
  if (call !== undefined) {
    const member = tensors.members.called.get(call);
    return member && new Map(member.facts.signature.outputs.map(({ name, ...form }) => [name, form]));
  }
  const outputs = new Map<string, TensorForm | undefined>();
  for (const [name, wire] of Object.entries(use)) {
    const isLiteral = typeof wire === 'object' && 'value' in wire;
    const place = { tensors, faults: new GraphFaults(), location };
    const resolved = isLiteral && goals === undefined ? undefined : resolveWire(wire, goals?.get(name), place);
    outputs.set(name, resolved?.form);
  }
  return outputs;
}

/** What all arms give: what one hides by a fault is as the others say. */
function unifyOutputs(all: readonly StepOutputs[]): StepOutputs {
  const unified = new Map<string, TensorForm | undefined>();
  for (const outputs of all) {
    for (const [name, form] of outputs) {
      const before = unified.get(name);
      unified.set(
        name,
        before === undefined || form === undefined ? (before ?? form) : (unifyForms(before, form) ?? before),
      );
    }
  }
  return unified;
}

function outputsOfCombination(
  { combine, of, axis = -1, index = false }: CombineStepDefinition,
  tensors: KnownTensors,
): StepOutputs | undefined {
  if (combine === 'first' || combine === 'fastest') {
    const all = of.map((name) => tensors.outputsOf(name)).filter((outputs) => outputs !== undefined);
    return all.length === 0 ? undefined : unifyOutputs(all);
  }
  const forms = of.map((text) => tensors.formOf(parseSource(text))).filter((form) => form !== undefined);
  const [first, ...others] = forms;
  if (first === undefined) return undefined;
  if (combine === 'concat') {
    const whole = forms.length === of.length ? concatenatedForm(forms, axis) : undefined;
    return new Map([['value', whole]]);
  }
  const form = others.reduce((whole, other) => unifyForms(whole, other) ?? whole, first);
  return combinedOutputs(combine, form, { index });
}
