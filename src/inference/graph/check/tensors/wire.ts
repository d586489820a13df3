import type { DataType } from '../../../../tensor/data-type.ts';
import type { Literal, WireDefinition } from '../../graph-definition.ts';
import type { PlannedWire, TensorSource } from '../../graph-plan.ts';
import type { GraphFaults, Location } from '../graph-faults.ts';
import { parseSource } from '../step-table.ts';
import { type Adapters, adaptForm } from './adapters.ts';
import type { KnownTensors } from './known-tensors.ts';
import { literalRow } from './literal.ts';
import { formText, type TensorForm, unifyShapes } from './tensor-form.ts';

export interface WirePlace {
  readonly tensors: KnownTensors;
  readonly faults: GraphFaults;
  readonly location: Location;
}

/** A wire whose end is known. */
export interface ResolvedWire {
  readonly wire: Omit<PlannedWire, 'to'>;
  readonly form: TensorForm;
  /** As messages call it. */
  readonly what: string;
  /** Whether the file says a `cast`, also one that changes nothing. */
  readonly isCast: boolean;
}

/** @param goal what the wire leads to, where it is known: literals take its type */
export function resolveWire(
  wire: WireDefinition,
  goal: TensorForm | undefined,
  place: WirePlace,
): ResolvedWire | undefined {
  if (typeof wire === 'string') return fromTensor(parseSource(wire), {}, place);
  const { cast, reshape, columns } = wire;
  const shaping = { ...(reshape !== undefined && { reshape }), ...(columns !== undefined && { columns }) };
  if ('value' in wire) return fromLiteral(wire.value, { cast, shaping, goal }, place);
  const adapters = { ...(cast !== undefined && { cast }), ...shaping };
  return fromTensor(parseSource(wire.from), adapters, { ...place, location: [...place.location, 'from'] }, place);
}

/** Where the wire is without faults, and where `from` is, which is deeper in the long form. */
function fromTensor(
  source: TensorSource,
  adapters: Adapters,
  from: WirePlace,
  place: WirePlace = from,
): ResolvedWire | undefined {
  const form = from.tensors.find(source, from.location, from.faults);
  if (form === undefined) return undefined;
  const what = `${source.step}.${source.tensor}`;
  const adapted = adaptForm(form, adapters, { ...place, what });
  if (adapted === undefined) return undefined;
  const { cast, ...shaping } = adapters;
  const casts = cast !== undefined && cast !== form.datatype;
  return {
    wire: { from: source, ...(casts && { cast }), ...shaping },
    form: adapted,
    what,
    isCast: cast !== undefined,
  };
}

function fromLiteral(
  value: Literal,
  { cast, shaping, goal }: { cast: DataType | undefined; shaping: Adapters; goal: TensorForm | undefined },
  place: WirePlace,
): ResolvedWire | undefined {
  const at = [...place.location, 'value'];
  const datatype = cast ?? goal?.datatype ?? typeOfLiteral(value);
  if (datatype === undefined) {
    place.faults.add(at, 'literal', 'nothing says which data type the number has; add a "cast"');
    return undefined;
  }
  const row = literalRow(value, datatype, Object.keys(shaping).length === 0 ? (goal?.shape ?? []) : []);
  if (typeof row === 'string') {
    place.faults.add(at, 'literal', row);
    return undefined;
  }
  const what = 'the literal';
  const form = adaptForm({ datatype, shape: row.shape.with(0, -1) }, shaping, { ...place, what });
  return form === undefined
    ? undefined
    : { wire: { from: { row }, ...shaping }, form, what, isCast: cast !== undefined };
}

/** The data type of a literal of text or booleans. */
function typeOfLiteral(value: unknown): DataType | undefined {
  if (Array.isArray(value)) return typeOfLiteral(value[0]);
  if (typeof value === 'string') return 'BYTES';
  return typeof value === 'boolean' ? 'BOOL' : undefined;
}

/** Whether what comes out of the wire fits what takes it; a fault that says what would, when it does not. */
export function checkFit(
  { form, what, isCast }: ResolvedWire,
  goal: TensorForm,
  { taker, faults, location }: { taker: string; faults: GraphFaults; location: Location },
): boolean {
  const found = `${taker} takes ${formText(goal)}, ${what} is ${formText(form)}`;
  if (form.datatype !== goal.datatype) {
    const advice = isCast ? `change "cast" to "${goal.datatype}"` : `add "cast": "${goal.datatype}"`;
    faults.add(location, 'wrong_datatype', `${found}; ${advice}`);
    return false;
  }
  if (unifyShapes(form.shape, goal.shape) !== undefined) return true;
  faults.add(location, 'wrong_shape', `${found}${shapeAdvice(form, goal)}`);
  return false;
}

function shapeAdvice({ shape }: TensorForm, goal: TensorForm): string {
  const sizes = goal.shape.slice(1);
  const own = shape.slice(1);
  if (sizes.includes(-1) || own.includes(-1)) return '';
  const product = (all: readonly number[]) => all.reduce((whole, size) => whole * size, 1);
  if (product(sizes) === product(own)) return `; add "reshape": [${[-1, ...sizes].join(',')}]`;
  const fewer = own.length === sizes.length && (sizes.at(-1) ?? 0) < (own.at(-1) ?? 0);
  return fewer ? `; pick ${sizes.at(-1)} of its columns by "columns"` : '';
}
