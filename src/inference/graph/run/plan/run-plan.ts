import type { TensorSpec } from '../../../../tensor/tensor.ts';
import type {
  GraphPlan,
  PlannedCombineStep,
  PlannedStep,
  PlannedSwitchStep,
  PlannedTarget,
  PlannedWire,
  TensorSource,
} from '../../graph-plan.ts';

/** A step of a run. Steps, and tensors between them, are known by their indexes. */
export interface RunStep {
  readonly step: PlannedStep;
  /** The outputs that something uses. */
  readonly used: readonly string[];
  /** The slots of {@link used}, in its order. */
  readonly gives: readonly number[];
  /** Names to ask a member for; undefined when all are used. */
  readonly asks: readonly string[] | undefined;
  /** Steps that it reads from. */
  readonly needs: readonly number[];
  /** Of a combination, the steps of `of`, -1 for inputs of the graph. */
  readonly of: readonly number[];
  /** Slots that it reads from. */
  readonly reads: readonly number[];
  /** Steps that read from it. */
  readonly readers: readonly number[];
  /** Whether an output of the graph is one of its tensors. */
  readonly isOutput: boolean;
}

/** The part of a graph that some of its outputs need. */
export interface RunPlan {
  readonly steps: readonly RunStep[];
  /** The wanted outputs in the order of the signature. */
  readonly outputs: readonly { readonly name: string; readonly source: TensorSource }[];
  /** The slot of each tensor between steps, by step and name. */
  readonly slots: Slots;
  /** By slot, how many steps read it; an output of the graph has one more. */
  readonly slotReaders: readonly number[];
  /** Whether no two steps ever run at once and every failure fails the request, so that nothing is cancelled on its own. */
  readonly inSequence: boolean;
}

export type Slots = ReadonlyMap<string, ReadonlyMap<string, number>>;

export function slotOf(slots: Slots, { step, tensor }: TensorSource): number | undefined {
  return slots.get(step)?.get(tensor);
}

export function sourceText({ step, tensor }: TensorSource): string {
  return `${step}.${tensor}`;
}

/** What has to run for the wanted outputs. Steps that none of them needs are left out. */
export function planRun(plan: GraphPlan, wanted: readonly string[] | undefined): RunPlan {
  const outputs = plan.signature.outputs.flatMap(({ name }) => {
    const source = plan.outputs.get(name);
    return source !== undefined && (wanted === undefined || wanted.includes(name)) ? [{ name, source }] : [];
  });
  const used = usedTensors(plan, outputs);
  const planned = plan.steps.filter(({ name }) => used.has(name));
  const indexes = new Map(planned.map(({ name }, index) => [name, index]));
  const slots = new Map<string, Map<string, number>>();
  let count = 0;
  for (const { name } of planned) {
    slots.set(name, new Map([...(used.get(name) ?? [])].map((tensor, index) => [tensor, count + index])));
    count += used.get(name)?.size ?? 0;
  }
  const needs = planned.map((step) => {
    const sources = sourcesOf(step, used.get(step.name) ?? new Set());
    return [...new Set(sources.map((source) => indexes.get(source.step)))].filter((index) => index !== undefined);
  });
  const ofGraph = new Set(outputs.map(({ source }) => source.step));
  const steps = planned.map((step, index): RunStep => {
    const names = used.get(step.name) ?? new Set<string>();
    return {
      step,
      used: [...names],
      gives: [...names].flatMap((tensor) => slotOf(slots, { step: step.name, tensor }) ?? []),
      asks: names.size < step.outputs.length ? inOrder(step.outputs, names) : undefined,
      needs: needs[index] ?? [],
      of: step.kind === 'combine' ? step.of.map((source) => indexes.get(source.step) ?? -1) : [],
      reads: readSlots(sourcesOf(step, names), slots),
      readers: needs.flatMap((of, reader) => (of.includes(index) ? [reader] : [])),
      isOutput: ofGraph.has(step.name),
    };
  });
  return {
    steps,
    outputs,
    slots,
    slotReaders: countSlotReaders(steps, outputs, slots, count),
    inSequence: steps.every(runsAlone),
  };
}

/** By step, the names of its outputs that the wanted outputs need. */
function usedTensors(plan: GraphPlan, outputs: RunPlan['outputs']): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  const use = ({ step, tensor }: TensorSource) => {
    if (step === 'input') return;
    const tensors = used.get(step);
    if (tensors === undefined) used.set(step, new Set([tensor]));
    else tensors.add(tensor);
  };
  for (const { source } of outputs) use(source);
  for (const step of plan.steps.toReversed()) {
    const names = used.get(step.name);
    if (names !== undefined) sourcesOf(step, names).forEach(use);
  }
  return used;
}

/** The tensors that a step reads to give those of its outputs. */
function sourcesOf(step: PlannedStep, used: ReadonlySet<string>): readonly TensorSource[] {
  switch (step.kind) {
    case 'model':
      return wireSources(step.call.inputs.values());
    case 'switch':
      return switchSources(step, used);
    case 'combine':
      return combineSources(step, used);
  }
}

function switchSources({ arms, otherwise }: PlannedSwitchStep, used: ReadonlySet<string>): TensorSource[] {
  const targets = arms.map(({ target }) => target);
  if (otherwise !== 'refuse') targets.push(otherwise);
  return [...arms.flatMap(({ rule }) => rule.reads), ...targets.flatMap((target) => targetSources(target, used))];
}

function targetSources(target: PlannedTarget, used: ReadonlySet<string>): TensorSource[] {
  if (target.kind === 'call') return wireSources(target.inputs.values());
  return wireSources([...target.outputs].flatMap(([name, wire]) => (used.has(name) ? [wire] : [])));
}

function combineSources({ combine, of }: PlannedCombineStep, used: ReadonlySet<string>): readonly TensorSource[] {
  if (combine !== 'first' && combine !== 'fastest') return of;
  return of.flatMap(({ step }) => [...used].map((tensor) => ({ step, tensor })));
}

function wireSources(wires: Iterable<PlannedWire>): TensorSource[] {
  return [...wires].flatMap(({ from }) => ('step' in from ? [from] : []));
}

function readSlots(sources: readonly TensorSource[], slots: Slots): number[] {
  return [...new Set(sources.flatMap((source) => slotOf(slots, source) ?? []))];
}

function inOrder(outputs: readonly TensorSpec[], names: ReadonlySet<string>): string[] {
  return outputs.flatMap(({ name }) => (names.has(name) ? [name] : []));
}

function countSlotReaders(
  steps: readonly RunStep[],
  outputs: RunPlan['outputs'],
  slots: Slots,
  slotCount: number,
): number[] {
  const counts = new Array<number>(slotCount).fill(0);
  const count = (slot: number | undefined) => {
    if (slot !== undefined) counts[slot] = (counts[slot] ?? 0) + 1;
  };
  for (const { reads } of steps) reads.forEach(count);
  for (const { source } of outputs) count(slotOf(slots, source));
  return counts;
}

/** Whether the step begins after the one before it has ended, and can neither be done without nor end others. */
function runsAlone({ step, needs }: RunStep, index: number): boolean {
  if (!step.required || (index > 0 && !needs.includes(index - 1))) return false;
  if (step.kind === 'switch') return !step.perRow;
  return step.kind === 'model' || (step.combine !== 'first' && step.combine !== 'fastest');
}
