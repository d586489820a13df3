import { AppError } from '../../errors.ts';

const quoteMark = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

/** Elements are handed on when there are so many bytes of them: some tenths of a millisecond for `JSON.parse`. */
const pieceBytes = 32 * 1024;
/** An element of more bytes is looked into. */
const largeBytes = 64 * 1024;
const maxNesting = 100;

/** Where a scan of the elements of one list or object is. */
export interface ScanState {
  readonly closing: number;
  /** How many lists and objects there are around the elements. */
  readonly nesting: number;
  at: number;
  /** First byte that has not been handed on. */
  pieceStart: number;
  /** First byte of the element that is being scanned. */
  elementStart: number;
}

/**
 * - `piece`: there are elements enough before the comma at which the scan is
 * - `large`: the element that is being scanned is large, and holds others
 * - `end`: the list or object ends here
 */
export type ScanEvent = 'piece' | 'large' | 'end';

/** Finds where JSON can be cut: it knows brackets, texts and commas alone. */
export class PieceScanner {
  readonly #bytes: Uint8Array;
  readonly #maxLists: number;
  readonly #maxTextBytes: number;
  #lists = 0;

  constructor(bytes: Uint8Array, { maxLists, maxTextBytes }: { maxLists: number; maxTextBytes: number }) {
    this.#bytes = bytes;
    this.#maxLists = maxLists;
    this.#maxTextBytes = maxTextBytes;
  }

  /**
   * Scans on until something is to be done.
   *
   * @throws AppError `MALFORMED_JSON` or `BODY_TOO_LARGE`
   */
  next(state: ScanState): ScanEvent {
    const bytes = this.#bytes;
    const { closing, pieceStart } = state;
    let { at, elementStart } = state;
    let plainStart = at;
    let listsBefore = this.#lists;
    let depth = 0;
    for (; at < bytes.length; at++) {
      const code = bytes[at];
      if (code === quoteMark) {
        at = this.#endOfText(at);
        plainStart = at + 1;
      } else if (code === 0x5b || code === 0x7b) {
        depth++;
        this.#countList(state.nesting + depth, at);
      } else if (code === 0x5d || code === 0x7d) {
        if (depth === 0) {
          if (code !== closing) throw malformedAt(at, `unexpected ${String.fromCharCode(code)}`);
          state.at = at;
          state.elementStart = elementStart;
          return 'end';
        }
        depth--;
      } else if (code === comma && depth === 0) {
        if (at - pieceStart >= pieceBytes) {
          state.at = at;
          return 'piece';
        }
        elementStart = at + 1;
        plainStart = elementStart;
        listsBefore = this.#lists;
      }
      if (at - elementStart < largeBytes) continue;
      if (depth > 0) {
        // They are counted when the element is scanned by itself.
        this.#lists = listsBefore;
        state.at = elementStart;
        state.elementStart = elementStart;
        return 'large';
      }
      if (at - plainStart >= largeBytes) throw malformedAt(at, `more than ${largeBytes} bytes between two values`);
    }
    throw malformedAt(at, 'it ends too early');
  }

  /** The index of the quotation mark that closes the text which the one at `start` opens. */
  #endOfText(start: number): number {
    const bytes = this.#bytes;
    const last = Math.min(bytes.length, start + this.#maxTextBytes + 2);
    for (let at = start + 1; at < last; at++) {
      const code = bytes[at];
      if (code === quoteMark) return at;
      if (code === backslash) at++;
    }
    if (last === bytes.length) throw malformedAt(last, 'a text is never closed');
    const message = `The text at byte ${start} of the body is too large: at most ${this.#maxTextBytes} bytes are allowed (JSON_LIMIT_BYTES)`;
    throw new AppError('BODY_TOO_LARGE', { message, expected: this.#maxTextBytes });
  }

  #countList(nesting: number, at: number): void {
    if (nesting > maxNesting) throw malformedAt(at, `more than ${maxNesting} levels of nesting`);
    this.#lists += 1;
    if (this.#lists <= this.#maxLists) return;
    const message = `The body has more than ${this.#maxLists} lists and objects`;
    throw new AppError('BODY_TOO_LARGE', { message, expected: `at most ${this.#maxLists} lists and objects` });
  }
}

/** The error for what is no JSON at that byte. */
export function malformedAt(byte: number, reason: string, cause?: unknown): AppError {
  const message = `The body is not valid JSON: ${reason} at byte ${byte}`;
  return new AppError('MALFORMED_JSON', { message, ...(cause !== undefined && { cause }) });
}
