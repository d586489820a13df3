import { AppError } from '../../errors.ts';
import { quote, shorten } from '../malformed-tensor.ts';

/** The reader recurses, so that nesting has to end before the stack does. */
const maxNesting = 100;

const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** UINT64 has 20 digits at most. Longer numbers fit no integer type, and large bigints are slow to read. */
const wholeNumber = /^-?\d{1,20}$/;

const literals = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
] as const;

/**
 * Reads JSON as `JSON.parse` does, but for whole numbers beyond ±2^53 (a `bigint`), for the bare tokens `NaN`,
 * `Infinity` and `-Infinity`, and for numbers beyond a double, which are refused.
 * About three times as slow as `JSON.parse`, and three times as fast as a reviver that looks at the source of each number.
 *
 * @throws AppError `MALFORMED_JSON` with the position
 */
export function readExactJson(text: string): unknown {
  return new ExactJsonReader(text).read();
}

class ExactJsonReader {
  readonly #text: string;
  #position = 0;
  #nesting = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): unknown {
    const value = this.#value();
    if (this.#next() !== '') throw this.#unexpected();
    return value;
  }

  #value(): unknown {
    switch (this.#next()) {
      case '[':
        return this.#array();
      case '{':
        return this.#object();
      case '"':
        return this.#string();
      default:
        return this.#number() ?? this.#literal();
    }
  }

  #array(): unknown[] {
    this.#open();
    const elements: unknown[] = [];
    if (this.#skip(']')) return this.#close(elements);
    do elements.push(this.#value());
    while (this.#skip(','));
    this.#expect(']');
    return this.#close(elements);
  }

  #object(): object {
    this.#open();
    const members: [string, unknown][] = [];
    if (this.#skip('}')) return this.#close({});
    do {
      if (this.#next() !== '"') throw this.#unexpected();
      const key = this.#string();
      this.#expect(':');
      members.push([key, this.#value()]);
    } while (this.#skip(','));
    this.#expect('}');
    // Defines members, where assigning would call the setter of "__proto__".
    return this.#close(Object.fromEntries(members));
  }

  #string(): string {
    const start = this.#position;
    let end = start;
    do {
      end = this.#text.indexOf('"', end + 1);
      if (end === -1) throw this.#refuse('the text is never closed');
    } while (this.#isEscaped(end));
    this.#position = end + 1;
    try {
      return String(JSON.parse(this.#text.slice(start, end + 1)));
    } catch (cause) {
      throw this.#refuse('the text has a bad escape or a control character', cause);
    }
  }

  #isEscaped(quotePosition: number): boolean {
    let backslashes = 0;
    while (this.#text[quotePosition - 1 - backslashes] === '\\') backslashes++;
    return backslashes % 2 === 1;
  }

  #number(): number | bigint | undefined {
    numberToken.lastIndex = this.#position;
    if (!numberToken.test(this.#text)) return undefined;
    const token = this.#text.slice(this.#position, numberToken.lastIndex);
    const value = Number(token);
    if (!Number.isFinite(value)) throw this.#refuse(`the number ${shorten(token)} is too large for a double`);
    this.#position += token.length;
    return !Number.isSafeInteger(value) && wholeNumber.test(token) ? BigInt(token) : value;
  }

  #literal(): boolean | number | null {
    for (const [word, value] of literals) {
      if (!this.#text.startsWith(word, this.#position)) continue;
      this.#position += word.length;
      return value;
    }
    throw this.#unexpected();
  }

  /** The next character that is no white space, which becomes the position; empty at the end. */
  #next(): string {
    while (isWhiteSpace(this.#text.charCodeAt(this.#position))) this.#position++;
    return this.#text.charAt(this.#position);
  }

  #skip(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#position++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw this.#unexpected();
  }

  #open(): void {
    this.#position++;
    this.#nesting++;
    if (this.#nesting > maxNesting) throw this.#refuse(`more than ${maxNesting} levels of nesting`);
  }

  #close<T>(value: T): T {
    this.#nesting--;
    return value;
  }

  #unexpected(): AppError {
    const character = this.#text.charAt(this.#position);
    return this.#refuse(character === '' ? 'it ends too early' : `unexpected ${quote(character)}`);
  }

  #refuse(reason: string, cause?: unknown): AppError {
    const message = `The body is not valid JSON: ${reason} at position ${this.#position}`;
    return new AppError('MALFORMED_JSON', { message, ...(cause !== undefined && { cause }) });
  }
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
