import type { DataType } from '../../../../tensor/data-type.ts';
import type { TensorSpec } from '../../../../tensor/tensor.ts';
import type { GraphDefinition, WireDefinition } from '../../graph-definition.ts';
import { GraphFaults, type Location } from '../graph-faults.ts';
import { type GraphMembers, memberText } from '../members.ts';
import { type LocatedStep, parseSource, sourceOfWire, type TargetDefinition } from '../step-table.ts';
import { formText, type Shape, type TensorForm, unifyShapes } from './tensor-form.ts';

/** What is known of an input of the graph from one place. */
interface InputUse {
  readonly input: string;
  readonly location: Location;
  /** Who says so. */
  readonly taker: string;
  readonly datatype?: DataType;
  readonly shape?: Shape;
  readonly dimensions?: TensorSpec['dimensions'];
  /** What takes it is not known, so that nothing can be said of it. */
  readonly isUnknown?: true;
}

/** The inputs of a graph by name, in the order of their first use. Those that no type can be said of are undefined. */
export type GraphInputs = ReadonlyMap<string, TensorForm | undefined>;

/**
 * The inputs of a graph from what they feed, narrowed by `inputs`. An input that feeds two members has what both allow.
 */
export function inferInputs(
  definition: GraphDefinition,
  steps: ReadonlyMap<string, LocatedStep>,
  { members, faults }: { members: GraphMembers; faults: GraphFaults },
): GraphInputs {
  const uses = [...declaredInputs(definition)];
  for (const located of steps.values()) uses.push(...usesOfStep(located, members));
  for (const [name, text] of Object.entries(definition.outputs ?? {})) uses.push(...mention(text, ['outputs', name]));
  const inputs = new Map<string, TensorForm | undefined>();
  for (const [input, ofInput] of Map.groupBy(uses, (use) => use.input)) {
    const isRead = ofInput.some(({ location }) => location[0] !== 'inputs') || rulesMention(definition, input);
    // What nothing reads is a fault as a whole.
    inputs.set(input, unifyUses(input, ofInput, isRead ? faults : new GraphFaults()));
  }
  return inputs;
}

/** Whether a rule seems to read an input: also of one that cannot be compiled. */
export function rulesMention({ steps }: GraphDefinition, input: string): boolean {
  const rules = steps.flatMap((step) => ('switch' in step ? step.switch.map(({ when }) => when) : []));
  const mentions = rules.flatMap((rule) => [
    ...rule.matchAll(/\binput\s*(?:\.\s*(\w+)|\[\s*(?:'([^']*)'|"([^"]*)"))/g),
  ]);
  return mentions.some(([, ...names]) => names.includes(input));
}

function* declaredInputs({ inputs }: GraphDefinition): Iterable<InputUse> {
  for (const [input, { datatype, shape }] of Object.entries(inputs)) {
    const said = { ...(datatype !== undefined && { datatype }), ...(shape !== undefined && { shape }) };
    yield { input, location: ['inputs', input], taker: '"inputs"', ...said };
  }
}

function* usesOfStep({ index, step, targets }: LocatedStep, members: GraphMembers): Iterable<InputUse> {
  for (const target of targets) yield* usesOfTarget(target, members);
  if (!('combine' in step)) return;
  for (const [place, text] of step.of.entries()) yield* mention(text, ['steps', index, 'of', place]);
}

function* usesOfTarget({ location, call, use }: TargetDefinition, members: GraphMembers): Iterable<InputUse> {
  for (const [name, wire] of Object.entries(use ?? {})) {
    const source = sourceOfWire(wire);
    if (source?.step === 'input') yield { input: source.tensor, location: [...location, 'use', name], taker: '' };
  }
  if (call === undefined) return;
  const member = members.called.get(call);
  const wires = new Map(Object.entries(call.in ?? {}));
  for (const spec of member?.facts.signature.inputs ?? []) {
    const wire = wires.get(spec.name) ?? `input.${spec.name}`;
    const source = sourceOfWire(wire);
    wires.delete(spec.name);
    if (source?.step !== 'input') continue;
    const taker = member === undefined ? '' : memberText(member);
    yield { input: source.tensor, location: [...location, 'in', spec.name], taker, ...beforeAdapters(wire, spec) };
  }
  // Those of a member that is missing, and those that a member does not have.
  for (const [name, wire] of wires) {
    const source = sourceOfWire(wire);
    if (source?.step !== 'input') continue;
    yield { input: source.tensor, location: [...location, 'in', name], taker: '', isUnknown: true };
  }
}

function* mention(text: string, location: Location): Iterable<InputUse> {
  const { step, tensor } = parseSource(text);
  if (step === 'input') yield { input: tensor, location, taker: '' };
}

/** What must come into the wire for the input of a member to come out, as far as the adapters tell. */
function beforeAdapters(wire: WireDefinition, spec: TensorSpec): Pick<InputUse, 'datatype' | 'shape' | 'dimensions'> {
  if (typeof wire === 'string') return spec;
  const { cast, reshape, columns } = wire;
  const { datatype, shape } = spec;
  const before = columns === undefined ? shape : shape.with(-1, -1);
  return {
    ...(cast === undefined && { datatype }),
    ...(reshape === undefined && { shape: shape.length === 0 ? shape : before }),
  };
}

function unifyUses(input: string, uses: readonly InputUse[], faults: GraphFaults): TensorForm | undefined {
  let typed: { datatype: DataType; by: InputUse } | undefined;
  let shaped: { shape: Shape; by: InputUse; dimensions: TensorSpec['dimensions'] } | undefined;
  let fits = true;
  for (const use of uses) {
    const { datatype, shape, dimensions } = use;
    if (datatype !== undefined && typed !== undefined && datatype !== typed.datatype) {
      const found = `${use.taker} takes ${datatype}, ${typed.by.taker} says ${typed.datatype} of input.${input}`;
      const what = typed.by.location[0] === 'inputs' ? found : `${found} at ${typed.by.location.join('.')}`;
      faults.add(use.location, 'input_datatype', `${what}; add a "cast" to one of them`);
      fits = false;
    }
    if (datatype !== undefined) typed ??= { datatype, by: use };
    if (shape === undefined) continue;
    const unified = shaped === undefined ? shape : unifyShapes(shaped.shape, shape);
    if (unified !== undefined) {
      const sameNames = shaped === undefined || shaped.dimensions?.join() === dimensions?.join();
      shaped = { shape: unified, by: shaped?.by ?? use, dimensions: sameNames ? dimensions : undefined };
      continue;
    }
    if (shaped === undefined) continue;
    const [one, other] = [shape, shaped.shape].map((size) => `[${size.join(',')}]`);
    const what = `${use.taker} takes ${one}, ${shaped.by.taker} says ${other} of input.${input}`;
    faults.add(use.location, 'input_shape', `${what} at ${shaped.by.location.join('.')}`);
    fits = false;
  }
  if (!fits || uses.some((use) => use.isUnknown)) return undefined;
  if (typed !== undefined && shaped !== undefined) {
    const { shape, dimensions } = shaped;
    return { datatype: typed.datatype, shape, ...(dimensions !== undefined && { dimensions }) };
  }
  const known = typed === undefined ? '' : ` but ${formText({ datatype: typed.datatype, shape: [] })}`;
  const missing = [typed === undefined && '"datatype"', shaped === undefined && '"shape"'].filter(Boolean);
  const what = `nothing that input.${input} feeds says what it is${known}; say its ${missing.join(' and ')} here`;
  faults.add(['inputs', input], 'input_unknown', what);
  return undefined;
}
