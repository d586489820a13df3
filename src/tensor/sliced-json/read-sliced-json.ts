import { AppError } from '../../errors.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { LongList } from './long-list.ts';
import { malformedAt, PieceScanner, type ScanState } from './piece-scanner.ts';

export interface SlicedJsonOptions {
  /** Parses a piece of some ten kilobytes. */
  readonly parse: (text: string) => unknown;
  /** Whether a list of many pieces becomes a {@link LongList}. @default false: always an array */
  readonly longLists?: boolean;
  /** Most lists and objects. */
  readonly maxLists: number;
  /** Most bytes of one text. @default no limit */
  readonly maxTextBytes?: number;
}

/** A shorter text is parsed as a whole. */
export const slicedFromBytes = 64 * 1024;

/** More members than any object of a real request has. */
const mostMembers = 10_000;

const [openList, openObject, closeList, closeObject] = [0x5b, 0x7b, 0x5d, 0x7d];
const comma = 0x2c;

/**
 * Reads JSON in pieces of some ten kilobytes, each by a parser of texts: as fast as that, but for a scan of the bytes, and
 * others may go on between two pieces.
 *
 * @param bytes UTF-8, with or without a byte order mark
 * @throws AppError `MALFORMED_JSON` when the bytes are not UTF-8 or not JSON; `BODY_TOO_LARGE` for too many lists and
 *   objects, an object of more than 10,000 members, or too large a text
 */
export function readSlicedJson(bytes: Uint8Array, options: SlicedJsonOptions): SlicedWork<unknown> {
  return new SlicedJsonReader(bytes, options).read();
}

class SlicedJsonReader {
  readonly #bytes: Uint8Array;
  readonly #options: SlicedJsonOptions;
  readonly #scanner: PieceScanner;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** Where the value ended that was read last. */
  #at = 0;

  constructor(bytes: Uint8Array, options: SlicedJsonOptions) {
    const { maxLists, maxTextBytes = Number.POSITIVE_INFINITY } = options;
    this.#bytes = bytes;
    this.#options = options;
    this.#scanner = new PieceScanner(bytes, { maxLists, maxTextBytes });
  }

  *read(): SlicedWork<unknown> {
    const [first, second, third] = this.#bytes;
    const hasMark = first === 0xef && second === 0xbb && third === 0xbf;
    const start = this.#afterSpace(hasMark ? 3 : 0);
    const opening = this.#bytes[start];
    // A text or a number that is the whole body.
    if (opening !== openList && opening !== openObject) return this.#parse(start, this.#bytes.length, ['', '']);
    const value = yield* this.#value(start, 1);
    const end = this.#afterSpace(this.#at);
    if (end < this.#bytes.length) throw malformedAt(end, 'something follows the value');
    return value;
  }

  /** The list or object that opens at `start`. */
  *#value(start: number, nesting: number): SlicedWork<unknown> {
    const opening = this.#bytes[start];
    if (opening === openList) return yield* this.#list(start + 1, nesting);
    if (opening === openObject) return yield* this.#object(start + 1, nesting);
    throw malformedAt(start, 'unexpected value');
  }

  *#list(start: number, nesting: number): SlicedWork<unknown> {
    const pieces: (readonly unknown[])[] = [];
    const add = (piece: unknown) => {
      const elements = piece as readonly unknown[];
      pieces.push(elements);
      return elements.length;
    };
    const state = startAt(start, nesting, closeList);
    for (;;) {
      const event = this.#scanner.next(state);
      const isWhole = this.#take(state, event, add, ['[', ']']);
      if (isWhole) break;
      yield undefined;
      if (event !== 'large') continue;
      pieces.push([yield* this.#value(this.#afterSpace(state.elementStart), nesting + 1)]);
      if (this.#endsAfterValue(state)) break;
    }
    const [only = [], ...others] = pieces;
    if (others.length === 0) return only;
    return this.#options.longLists === true ? new LongList(pieces) : yield* concatenate(pieces);
  }

  *#object(start: number, nesting: number): SlicedWork<unknown> {
    const members = new Map<string, unknown>();
    const set = (name: string, value: unknown) => {
      members.set(name, value);
      if (members.size > mostMembers) throw tooManyMembers();
    };
    const add = (piece: unknown) => {
      const entries = Object.entries(piece as object);
      for (const [name, value] of entries) set(name, value);
      return entries.length;
    };
    const state = startAt(start, nesting, closeObject);
    for (;;) {
      const event = this.#scanner.next(state);
      const isWhole = this.#take(state, event, add, ['{', '}']);
      if (isWhole) break;
      yield undefined;
      if (event !== 'large') continue;
      const { name, valueStart } = this.#name(state.elementStart);
      set(name, yield* this.#value(valueStart, nesting + 1));
      if (this.#endsAfterValue(state)) break;
    }
    // Defines members, where assigning would call the setter of "__proto__".
    return Object.fromEntries(members);
  }

  /**
   * Parses the elements that the scan has found, and says whether those were the last.
   *
   * @param add takes them, and gives their number
   */
  #take(state: ScanState, event: string, add: (piece: unknown) => number, brackets: Brackets): boolean {
    const { pieceStart, elementStart, at } = state;
    // Before a large element there may be none, and between them and it is a comma.
    const end = event === 'large' ? elementStart - 1 : at;
    const count = end < pieceStart ? undefined : add(this.#parse(pieceStart, end, brackets));
    const mayBeEmpty = event === 'end' && this.#bytes[pieceStart - 1] !== comma;
    if (count === 0 && !mayBeEmpty) throw malformedAt(end, 'a value is missing');
    if (event === 'piece') {
      state.at = at + 1;
      state.pieceStart = at + 1;
      state.elementStart = at + 1;
    }
    if (event === 'end') this.#at = at + 1;
    return event === 'end';
  }

  /** After a value that was read by itself: goes on behind the comma; true where there is none. */
  #endsAfterValue(state: ScanState): boolean {
    const at = this.#afterSpace(this.#at);
    const code = this.#bytes[at];
    this.#at = at + 1;
    if (code === state.closing) return true;
    if (code !== comma) throw malformedAt(at, 'expected a comma');
    state.at = at + 1;
    state.pieceStart = at + 1;
    state.elementStart = at + 1;
    return false;
  }

  /** The name of a member whose value is a list or an object. */
  #name(start: number): { name: string; valueStart: number } {
    const bytes = this.#bytes;
    let opening = start;
    let inText = false;
    for (; opening < bytes.length; opening++) {
      const code = bytes[opening];
      if (inText && code === 0x5c) opening++;
      else if (code === 0x22) inText = !inText;
      else if (!inText && (code === openList || code === openObject)) break;
    }
    // Any value in the place of the large one: what stands before it must be a name and a colon.
    const [member, ...others] = Object.keys(this.#parse(start, opening, ['{', 'null}']) as object);
    if (member === undefined || others.length > 0) throw malformedAt(start, 'expected a name');
    return { name: member, valueStart: opening };
  }

  #parse(start: number, end: number, [before, after]: Brackets): unknown {
    try {
      return this.#options.parse(before + this.#decoder.decode(this.#bytes.subarray(start, end)) + after);
    } catch (cause) {
      if (cause instanceof AppError && cause.code !== 'MALFORMED_JSON') throw cause;
      if (cause instanceof TypeError) {
        throw new AppError('MALFORMED_JSON', { message: 'The body is not valid UTF-8', expected: 'UTF-8', cause });
      }
      const reason = cause instanceof Error ? cause.message.replace(/^The body is not valid JSON: /, '') : 'it is none';
      throw malformedAt(start, `${reason}, in the part that begins`, cause);
    }
  }

  #afterSpace(start: number): number {
    let at = start;
    while (isWhiteSpace(this.#bytes[at])) at++;
    return at;
  }
}

type Brackets = readonly [before: string, after: string];

function startAt(start: number, nesting: number, closing: number): ScanState {
  return { closing, nesting, at: start, pieceStart: start, elementStart: start };
}

function* concatenate(pieces: readonly (readonly unknown[])[]): SlicedWork<unknown[]> {
  const whole: unknown[] = [];
  for (const piece of pieces) {
    for (const element of piece) whole.push(element);
    yield undefined;
  }
  return whole;
}

function isWhiteSpace(code: number | undefined): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function tooManyMembers(): AppError {
  const message = `The body has an object of more than ${mostMembers} members`;
  return new AppError('BODY_TOO_LARGE', { message, expected: `at most ${mostMembers} members` });
}
