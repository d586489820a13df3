import type { PlannedCall, PlannedFallback, PlannedWire } from '../graph-plan.ts';
import { planFallback } from './fallback.ts';
import type { GraphFaults } from './graph-faults.ts';
import { memberText } from './members.ts';
import { type CallDefinition, didYouMean, type TargetDefinition } from './step-table.ts';
import type { KnownTensors } from './tensors/known-tensors.ts';
import { formText } from './tensors/tensor-form.ts';
import { checkFit, resolveWire } from './tensors/wire.ts';

export interface Planning {
  readonly tensors: KnownTensors;
  readonly faults: GraphFaults;
}

/** @param used outputs of the member that the graph uses, which its fallback must have */
export function planCall(
  target: TargetDefinition & { readonly call: CallDefinition },
  used: ReadonlySet<string>,
  { tensors, faults }: Planning,
): PlannedCall | undefined {
  const { call, location } = target;
  const member = tensors.members.called.get(call);
  if (member === undefined) return undefined;
  const specs = member.facts.signature.inputs;
  const names = specs.map((spec) => spec.name);
  const wires = new Map(Object.entries(call.in ?? {}));
  for (const name of wires.keys()) {
    if (names.includes(name)) continue;
    const takes = specs.map((spec) => `${spec.name} ${formText(spec)}`).join(', ') || 'nothing';
    const what = `${memberText(member)} has no such input and takes ${takes}${didYouMean(name, names)}`;
    faults.add([...location, 'in', name], 'unknown_input', what);
  }
  const inputs = new Map<string, PlannedWire>();
  for (const to of specs) {
    const wire = wires.get(to.name) ?? `input.${to.name}`;
    const at = [...location, 'in', to.name];
    const resolved = resolveWire(wire, to, { tensors, faults, location: at });
    if (resolved === undefined) continue;
    const fits = checkFit(resolved, to, { taker: memberText(member), faults, location: at });
    if (fits) inputs.set(to.name, { ...resolved.wire, to });
  }
  const fallback: PlannedFallback | undefined = planFallback(target, { used, tensors, faults });
  const { timeoutMs } = call;
  return {
    kind: 'call',
    member: member.index,
    inputs,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(fallback !== undefined && { fallback }),
  };
}
