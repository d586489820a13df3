import { AppError } from '../../../errors.ts';
import { quote } from '../../../tensor/malformed-tensor.ts';
import { LongList } from '../../../tensor/sliced-json/long-list.ts';
import { isJsonObject } from '../../named-inputs.ts';

/** Longer lists than any but that of the elements of a tensor. */
const mostElements = 100_000;

/*
 * Clients write an optional member that has no value as null, as Python's None becomes: it is as if it were absent.
 */

/** A parsed JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The error for a member of a body: where it is, what it is, and what it should be. */
export function refuseField(path: string, received: unknown, expected: string): AppError {
  const message = `${path}: expected ${expected}, received ${quote(received)}`;
  const fault = { location: ['body', ...path.split('.')], type: 'invalid_type', message };
  return new AppError('MALFORMED_BODY', { message, received, expected, faults: [fault] });
}

/** @throws AppError `MALFORMED_BODY` unless the value is an object */
export function readObject(value: unknown, path: string): Fields {
  if (isJsonObject(value)) return value;
  throw refuseField(path, value, 'an object');
}

/** The member as an object; empty when it is absent. */
export function readOptionalObject(value: unknown, path: string): Fields {
  return readObject(value ?? {}, path);
}

export function readList(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof LongList && value.length <= mostElements) return [...value];
  const expected = value instanceof LongList ? `a list of at most ${mostElements}` : 'a list';
  throw refuseField(path, value, expected);
}

export function readString(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw refuseField(path, value, 'a text');
}

export function readOptionalString(value: unknown, path: string): string | undefined {
  return value === undefined || value === null ? undefined : readString(value, path);
}

export function readOptionalBoolean(value: unknown, path: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw refuseField(path, value, 'true or false');
}

/** The member as a whole number of at least `least`. */
export function readOptionalWhole(value: unknown, path: string, least = 0): number | undefined {
  if (value === undefined || value === null) return undefined;
  // Beyond 2^53 `parseJson` gives a bigint; a sequence id or a timeout may be as large.
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least) return number;
  throw refuseField(path, value, `a whole number from ${least}`);
}
