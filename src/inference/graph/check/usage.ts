import type { ArmDefinition, GraphDefinition } from '../graph-definition.ts';
import type { TensorSource } from '../graph-plan.ts';
import type { CompiledRule } from '../rules.ts';
import { type LocatedStep, parseSource, sourceOfWire } from './step-table.ts';
import type { KnownTensors } from './tensors/known-tensors.ts';

/** Rules by the arms that they are of. */
export type GraphRules = ReadonlyMap<ArmDefinition, CompiledRule>;

/** Every tensor that a step reads; of steps as whole, all their outputs. */
export function readsOfStep(
  { step, targets }: LocatedStep,
  { tensors, rules }: { tensors: KnownTensors; rules: GraphRules },
): TensorSource[] {
  const reads: TensorSource[] = [];
  for (const { call, use } of targets) {
    const wires = new Map(Object.entries(call?.in ?? use ?? {}));
    const inputs = call && tensors.members.called.get(call)?.facts.signature.inputs;
    for (const { name } of inputs ?? []) if (!wires.has(name)) wires.set(name, `input.${name}`);
    reads.push(...[...wires.values()].map(sourceOfWire).filter((source) => source !== undefined));
  }
  if ('switch' in step) for (const arm of step.switch) reads.push(...(rules.get(arm)?.reads ?? []));
  if ('combine' in step) {
    for (const text of step.of) {
      const source = parseSource(text);
      if (source.tensor !== '') reads.push(source);
      for (const tensor of source.tensor === '' ? (tensors.outputsOf(text)?.keys() ?? []) : []) {
        reads.push({ step: text, tensor });
      }
    }
  }
  return reads;
}

/** Where each output of the graph comes from: what the file says, or all outputs of its last step. */
export function outputSources({ outputs, steps }: GraphDefinition, tensors: KnownTensors): Map<string, TensorSource> {
  if (outputs !== undefined) {
    return new Map(Object.entries(outputs).map(([name, text]) => [name, parseSource(text)]));
  }
  const step = steps.at(-1)?.name ?? '';
  const names = [...(tensors.outputsOf(step)?.keys() ?? [])];
  return new Map(names.map((tensor) => [tensor, { step, tensor }]));
}
