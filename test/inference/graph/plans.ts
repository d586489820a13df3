import type {
  GraphPlan,
  PlannedCall,
  PlannedCombineStep,
  PlannedFallback,
  PlannedModelStep,
  PlannedStep,
  PlannedSwitchStep,
  PlannedUse,
  PlannedWire,
  TensorSource,
} from '../../../src/inference/graph/graph-plan.ts';
import type { CompiledRule } from '../../../src/inference/graph/rules.ts';
import type { Tensor, TensorSpec } from '../../../src/tensor/tensor.ts';

/** Plans made by hand: what the check of a graph would give. Tensors are FP32 [-1, 2] where nothing else is said. */

const shape = [-1, 2];
export const anything = (name: string): TensorSpec => ({ name, datatype: 'FP32', shape });

export function source(path: string): TensorSource {
  const dot = path.indexOf('.');
  return { step: path.slice(0, dot), tensor: path.slice(dot + 1) };
}

/** A wire to an input of the same name and type as the tensor. */
export function wire(from: string | { readonly row: Tensor }, adapters: Partial<PlannedWire> = {}): PlannedWire {
  return { from: typeof from === 'string' ? source(from) : from, to: anything('x'), ...adapters };
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly fallback?: PlannedFallback;
}

/** A call of the member of that index, whose input `x` comes from there. */
export function call(
  member: number,
  from: string | Readonly<Record<string, PlannedWire>>,
  options: CallOptions = {},
): PlannedCall {
  const inputs = typeof from === 'string' ? { x: wire(from) } : from;
  return { kind: 'call', member, inputs: new Map(Object.entries(inputs)), ...options };
}

export function use(outputs: Readonly<Record<string, string | PlannedWire>>): PlannedUse {
  const wires = Object.entries(outputs).map(
    ([name, from]) => [name, typeof from === 'string' ? wire(from) : from] as const,
  );
  return { kind: 'use', outputs: new Map(wires) };
}

interface StepOptions {
  readonly required?: boolean;
  readonly outputs?: readonly TensorSpec[];
}

export function model(name: string, ofCall: PlannedCall, options: StepOptions = {}): PlannedModelStep {
  return { kind: 'model', name, call: ofCall, ...common(sourcesOf(ofCall), options) };
}

export function combination(
  name: string,
  combine: PlannedCombineStep['combine'],
  of: readonly string[],
  options: Partial<Omit<PlannedCombineStep, 'of'>> = {},
): PlannedCombineStep {
  const sources = of.map((path) => (path.includes('.') ? source(path) : { step: path, tensor: '' }));
  return {
    kind: 'combine',
    name,
    combine,
    of: sources,
    weights: of.map(() => 1),
    quorum: of.length,
    index: false,
    nan: 'propagate',
    axis: -1,
    ...common(sources, { outputs: ['value', 'count'].map(anything) }),
    ...options,
  };
}

export interface SwitchOptions extends StepOptions {
  readonly arms: PlannedSwitchStep['arms'];
  readonly otherwise: PlannedSwitchStep['otherwise'];
}

export function switching(name: string, { arms, otherwise, ...options }: SwitchOptions): PlannedSwitchStep {
  const targets = [...arms.map(({ target }) => target), ...(otherwise === 'refuse' ? [] : [otherwise])];
  const sources = [...arms.flatMap(({ rule }) => rule.reads), ...targets.flatMap(sourcesOf)];
  const perRow = arms.some(({ rule }) => rule.reads.length > 0);
  return { kind: 'switch', name, perRow, arms, otherwise, ...common(sources, options) };
}

/** A rule about one element of a row. */
export function rowRule(path: string, decides: (element: number) => boolean): CompiledRule {
  const read = source(path);
  return {
    text: `${path} …`,
    reads: [read],
    readsRequest: false,
    readsRows: false,
    decide: (_, tensorOf, row) => {
      const { shape: of, data } = tensorOf(read);
      return decides(Number(data[(row * data.length) / (of[0] ?? 1)]));
    },
  };
}

/** A rule about the request. */
export function requestRule(decide: CompiledRule['decide']): CompiledRule {
  return { text: 'request', reads: [], readsRequest: true, readsRows: false, decide };
}

export function plan(
  steps: readonly PlannedStep[],
  outputs: Readonly<Record<string, string>>,
  overrides: Partial<GraphPlan> = {},
): GraphPlan {
  return {
    signature: { inputs: [anything('x')], outputs: Object.keys(outputs).map(anything) },
    rowWise: true,
    needIndependent: [],
    steps,
    outputs: new Map(Object.entries(outputs).map(([name, path]) => [name, source(path)])),
    readsRequest: false,
    headers: [],
    maxInFlight: 1024,
    maxInFlightBytes: 2 ** 28,
    warnings: [],
    ...overrides,
  };
}

function common(sources: readonly TensorSource[], { required = true, outputs = [anything('y')] }: StepOptions) {
  const needs = [...new Set(sources.map(({ step }) => step))].filter((step) => step !== 'input');
  return { needs, required, outputs };
}

function sourcesOf(target: PlannedCall | PlannedUse): TensorSource[] {
  const wires = target.kind === 'call' ? target.inputs : target.outputs;
  return [...wires.values()].flatMap(({ from }) => ('step' in from ? [from] : []));
}
