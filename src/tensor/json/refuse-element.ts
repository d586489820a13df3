import type { AppError } from '../../errors.ts';
import type { DataType } from '../data-type.ts';
import { type Mismatch, malformedTensor, quote } from '../malformed-tensor.ts';

/** Where an element stands: which input, and the path in it. */
export interface ElementPlace {
  readonly name: string;
  readonly path: readonly (string | number)[];
}

/** The error for an element of the wrong kind, such as a text among numbers. */
export function refuseKind(place: ElementPlace, element: unknown, expected: string): AppError {
  return refuse(place, element, { type: 'invalid_type', reason: `not ${expected}`, expected });
}

/** The error for an element of the right kind that the data type cannot hold. */
export function refuseRange(place: ElementPlace, element: unknown, { datatype, least, greatest }: Range): AppError {
  const range = `${least} to ${greatest}`;
  const reason = `outside of ${datatype} (${range})`;
  return refuse(place, element, { type: 'out_of_range', reason, expected: `${datatype}, ${range}` });
}

/** The error for a whole number whose last digits are already lost. */
export function refuseInexact(place: ElementPlace, element: unknown, datatype: DataType): AppError {
  const expected = 'all its digits, without a point or an exponent, for it is beyond ±2^53';
  return refuse(place, element, {
    type: 'out_of_range',
    reason: `which ${datatype} takes only with ${expected}`,
    expected,
  });
}

export interface Range {
  readonly datatype: DataType;
  readonly least: number | bigint;
  readonly greatest: number | bigint;
}

/** A path as in `element [0][3]`; that of a flat list as in `element 3`. */
export function describePath(path: readonly (string | number)[]): string {
  const indexes = path.filter((step) => typeof step === 'number');
  if (indexes.length === 0) return 'the value';
  return indexes.length === 1 ? `element ${indexes[0]}` : `element ${indexes.map((index) => `[${index}]`).join('')}`;
}

function refuse({ name, path }: ElementPlace, element: unknown, { reason, type, expected }: Refusal): AppError {
  const received = quote(element);
  return malformedTensor(name, {
    path,
    type,
    message: `${describePath(path)} is ${received}, ${reason}`,
    received,
    expected,
  });
}

type Refusal = Pick<Mismatch, 'type' | 'expected'> & { readonly reason: string };
