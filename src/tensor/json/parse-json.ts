import { AppError } from '../../errors.ts';
import { readExactJson } from './exact-json.ts';
import { checkNesting, countOpenings } from './json-nesting.ts';

/** A number that `JSON.parse` may round or overflow: 16 digits before the point, or an exponent of three. */
const beyondDouble = /[[,:\s-]\d{16}|[eE]\+?\d{3}/;
const startsBeyondDouble = /^\d{16}/;
const bareToken = /NaN|Infinity/;

export interface JsonLimits {
  /**
   * Most lists and objects. Each takes up to a hundred bytes of memory, so that 60 MB of `{},` would take 1.4 GB. Brackets
   * and braces within texts count too.
   *
   * @default 1,000,000
   */
  readonly maxLists?: number;
}

/** Most lists and objects of a body, unless it is said otherwise. */
export const mostLists = 1_000_000;

/** Deeper than any tensor, and as deep as Triton goes. */
const maxNesting = 100;

/**
 * Reads a JSON body whose tensors must arrive unchanged. It is `JSON.parse` with three differences:
 *
 * - a whole number beyond ±2^53, of up to 20 digits, comes as a `bigint`;
 * - the bare tokens `NaN`, `Infinity` and `-Infinity` are read (Triton and TensorFlow Serving write them), and nothing
 *   else gives a number that is not finite;
 * - more than 100 levels of nesting are refused.
 *
 * `JSON.parse` does the work wherever it can: it is native, and as fast as a scanner written for tensors alone
 * (`bench/json-tensor.ts`).
 *
 * @param bytes UTF-8, with or without a byte order mark
 * @throws AppError `MALFORMED_JSON` when the bytes are not UTF-8, not JSON, or hold a number too large for a double;
 *   `BODY_TOO_LARGE` for too many lists and objects
 */
export function parseJson(bytes: Uint8Array, { maxLists = mostLists }: JsonLimits = {}): unknown {
  const text = decodeText(bytes);
  checkLists(text, maxLists);
  return parseJsonText(text);
}

/** As {@link parseJson}, of a text that is not too long. */
export function parseJsonText(text: string): unknown {
  checkNesting(text, maxNesting);
  try {
    if (!mayRound(text)) return JSON.parse(text);
  } catch (cause) {
    if (!bareToken.test(text)) throw malformedJson(cause);
  }
  return readExactJson(text);
}

/** Whether `JSON.parse` may make another number of one in the text. */
export function mayRound(text: string): boolean {
  return beyondDouble.test(text) || startsBeyondDouble.test(text);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError('MALFORMED_JSON', { message: 'The body is not valid UTF-8', expected: 'UTF-8', cause });
  }
}

function checkLists(text: string, maxLists: number): void {
  // A shorter text cannot have as many, so that most bodies are not searched.
  if (text.length <= maxLists || countOpenings(text, maxLists) <= maxLists) return;
  const message = `The body has more than ${maxLists} lists and objects`;
  throw new AppError('BODY_TOO_LARGE', { message, expected: `at most ${maxLists} lists and objects` });
}

function malformedJson(cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError('MALFORMED_JSON', { message: `The body is not valid JSON: ${reason}`, cause });
}
