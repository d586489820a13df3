import type { Tensor, TensorSpec } from '../../../tensor/tensor.ts';
import type { Literal } from '../graph-definition.ts';
import type { PlannedFallback } from '../graph-plan.ts';
import type { GraphFaults, Location } from './graph-faults.ts';
import { type FoundMember, memberText } from './members.ts';
import { type CallDefinition, didYouMean, type TargetDefinition } from './step-table.ts';
import type { KnownTensors } from './tensors/known-tensors.ts';
import { literalRow } from './tensors/literal.ts';
import { formText, unifyForms } from './tensors/tensor-form.ts';

interface FallbackCheck {
  /** Outputs that the graph uses. */
  readonly used: ReadonlySet<string>;
  readonly tensors: KnownTensors;
  readonly faults: GraphFaults;
}

/** A fallback answers in the place of its member: it takes the same inputs and gives at least what is used. */
export function planFallback(
  { call, location }: TargetDefinition & { readonly call: CallDefinition },
  { used, tensors, faults }: FallbackCheck,
): PlannedFallback | undefined {
  const member = tensors.members.called.get(call);
  if (call.fallback === undefined || member === undefined) return undefined;
  const at = [...location, 'fallback'];
  if (typeof call.fallback !== 'string') {
    return { rows: literalRows(call.fallback.outputs, member, { faults, location: [...at, 'outputs'] }) };
  }
  const fallback = tensors.members.fallbacks.get(call);
  if (fallback === undefined) return undefined;
  checkSame('input', [member, fallback], { wanted: undefined, faults, location: at });
  checkSame('output', [member, fallback], { wanted: used, faults, location: at });
  return { member: fallback.index };
}

/** @param wanted outputs that are used; undefined for inputs, which must all be the same */
function checkSame(
  side: 'input' | 'output',
  [member, fallback]: readonly [FoundMember, FoundMember],
  { wanted, faults, location }: { wanted: ReadonlySet<string> | undefined; faults: GraphFaults; location: Location },
): void {
  const verb = side === 'input' ? 'takes' : 'gives';
  const [own, others] = [member, fallback].map(({ facts }) => byName(facts.signature[`${side}s`]));
  if (own === undefined || others === undefined) return;
  for (const [name, spec] of own) {
    if (wanted !== undefined && !wanted.has(name)) continue;
    const other = others.get(name);
    const needs = `${memberText(member)} ${verb} ${name} ${formText(spec)}`;
    if (other === undefined) {
      const what = `${memberText(fallback)} has no ${side} ${JSON.stringify(name)}, and ${needs}`;
      faults.add(location, `fallback_${side}`, `${what}${didYouMean(name, others.keys())}`);
    } else if (unifyForms(spec, other) === undefined) {
      faults.add(location, `fallback_${side}`, `${memberText(fallback)} ${verb} ${name} ${formText(other)}, ${needs}`);
    }
  }
  if (wanted !== undefined) return;
  for (const [name, spec] of others) {
    if (own.has(name)) continue;
    const what = `${memberText(fallback)} takes ${name} ${formText(spec)}, which ${memberText(member)} does not`;
    faults.add(location, `fallback_${side}`, what);
  }
}

function literalRows(
  outputs: Readonly<Record<string, Literal>>,
  member: FoundMember,
  { faults, location }: { faults: GraphFaults; location: Location },
): Readonly<Record<string, Tensor>> {
  const given = new Map(Object.entries(outputs));
  const specs = byName(member.facts.signature.outputs);
  for (const name of given.keys()) {
    if (specs.has(name)) continue;
    const what = `${memberText(member)} gives ${[...specs.keys()].join(', ')}${didYouMean(name, specs.keys())}`;
    faults.add([...location, name], 'fallback_output', what);
  }
  const rows: Record<string, Tensor> = Object.create(null);
  for (const [name, spec] of specs) {
    const literal = given.get(name);
    if (literal === undefined) {
      faults.add(location, 'fallback_output', `${memberText(member)} gives ${name} ${formText(spec)} too; say its row`);
      continue;
    }
    const row = literalRow(literal, spec.datatype, spec.shape);
    if (typeof row === 'string') {
      faults.add([...location, name], 'literal', row);
      continue;
    }
    const form = { datatype: row.datatype, shape: row.shape.with(0, -1) };
    if (unifyForms(form, spec) === undefined) {
      const what = `${memberText(member)} gives ${formText(spec)}, the literal is ${formText(form)}`;
      faults.add([...location, name], 'wrong_shape', what);
    }
    rows[name] = row;
  }
  return rows;
}

function byName(specs: readonly TensorSpec[]): ReadonlyMap<string, TensorSpec> {
  return new Map(specs.map((spec) => [spec.name, spec]));
}
