import type { DataType } from '../../../../tensor/data-type.ts';
import type { PlannedWire } from '../../graph-plan.ts';
import type { GraphFaults, Location } from '../graph-faults.ts';
import { formText, type Shape, type TensorForm } from './tensor-form.ts';

/** What a wire does to its tensor, in this order. */
export type Adapters = Pick<PlannedWire, 'cast' | 'reshape' | 'columns'>;

interface Place {
  readonly faults: GraphFaults;
  readonly location: Location;
  /** The tensor as messages call it. */
  readonly what: string;
}

/** The form of the tensor behind the adapters; undefined after a fault. */
export function adaptForm(form: TensorForm, adapters: Adapters, place: Place): TensorForm | undefined {
  const { cast, reshape, columns } = adapters;
  let adapted: TensorForm | undefined = cast === undefined ? form : castForm(form, cast);
  if (reshape !== undefined) adapted = reshapeForm(adapted, reshape, place);
  if (columns !== undefined && adapted !== undefined) adapted = pickColumns(adapted, columns, place);
  return adapted;
}

/** ONNX Cast converts each data type to each other. */
function castForm(form: TensorForm, datatype: DataType): TensorForm {
  return { ...form, datatype };
}

function reshapeForm(form: TensorForm, reshape: Shape, { faults, location, what }: Place): TensorForm | undefined {
  const at = [...location, 'reshape'];
  const [rows, ...sizes] = reshape;
  if (rows !== -1 || sizes.some((size) => size < 1)) {
    const message = `found [${reshape.join(',')}]; the first dimension counts rows and is -1, the others are fixed and at least 1`;
    faults.add(at, 'reshape', message);
    return undefined;
  }
  const { datatype, shape } = form;
  if (shape.length === 0) return { datatype, shape: reshape };
  const wanted = product(sizes);
  const known = product(shape.slice(1).filter((size) => size !== -1));
  const free = shape.slice(1).includes(-1);
  if (free ? wanted % known !== 0 : wanted !== known) {
    const has = free ? `a multiple of ${known}` : known;
    const message = `a row of [${reshape.join(',')}] has ${wanted} elements, a row of ${what} ${formText(form)} has ${has}`;
    faults.add(at, 'reshape', message);
    return undefined;
  }
  return { datatype, shape: [shape[0] ?? -1, ...sizes] };
}

function pickColumns(form: TensorForm, columns: Shape, { faults, location, what }: Place): TensorForm | undefined {
  const { datatype, shape } = form;
  if (shape.length === 0) return { datatype, shape: [] };
  const at = [...location, 'columns'];
  if (shape.length === 1) {
    faults.add(at, 'columns', `${what} is ${formText(form)}, whose only axis counts rows; columns need a second axis`);
    return undefined;
  }
  const width = shape.at(-1) ?? -1;
  const beyond = columns.filter((column) => width !== -1 && column >= width);
  if (beyond.length > 0) {
    faults.add(
      at,
      'columns',
      `${what} is ${formText(form)} and has no column ${beyond.join(', ')}; expected 0 to ${width - 1}`,
    );
    return undefined;
  }
  return { datatype, shape: [...shape.slice(0, -1), columns.length] };
}

function product(sizes: Shape): number {
  return sizes.reduce((whole, size) => whole * size, 1);
}
