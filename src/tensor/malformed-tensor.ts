import { AppError } from '../errors.ts';
import { isJsonList } from './sliced-json/long-list.ts';

/** How a tensor breaks its description. */
export interface Mismatch {
  /** Where in the input: member names and indexes. */
  readonly path?: readonly (string | number)[];
  readonly type:
    | 'unknown_datatype'
    | 'invalid_shape'
    | 'shape_mismatch'
    | 'size_mismatch'
    | 'limit_exceeded'
    | 'invalid_type'
    | 'out_of_range';
  readonly message: string;
  readonly received: unknown;
  readonly expected: unknown;
}

/** The error `MALFORMED_TENSOR`, which names the input and both sides. */
export function malformedTensor(name: string, { path = [], type, message, received, expected }: Mismatch): AppError {
  const sentence = `Input "${name}": ${message}`;
  return new AppError('MALFORMED_TENSOR', {
    message: sentence,
    received,
    expected,
    faults: [{ location: [name, ...path], type, message: sentence }],
  });
}

const maxQuotedCharacters = 40;

/** A value as an error message shows it: short, whatever the client sent. */
export function quote(value: unknown): string {
  if (isJsonList(value)) return 'a list';
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'object' && value !== null) return 'an object';
  if (value === undefined) return 'missing';
  return shorten(Object.is(value, -0) ? '-0' : String(value));
}

/** A shape as in `[2, 3]`. */
export function quoteShape(shape: readonly unknown[]): string {
  return `[${shape.map(quote).join(', ')}]`;
}

/** A text as an error message shows it. */
export function shorten(text: string): string {
  return text.length <= maxQuotedCharacters ? text : `${text.slice(0, maxQuotedCharacters)}…`;
}

/** So many names stand in a message. */
const mostNames = 50;

/** Names as a message shows them: the first ones, and how many there are besides. */
export function quoteNames(names: readonly string[]): string {
  const first = names.slice(0, mostNames).map(quote).join(', ');
  return names.length > mostNames ? `${first} and ${names.length - mostNames} more` : first;
}
