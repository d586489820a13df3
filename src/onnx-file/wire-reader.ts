import { AppError } from '../errors.ts';

/** Reads something, and yields how many bytes it needs next whenever the window has fewer. */
export type Reading<T> = Generator<number, T, void>;

export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** A tag and a varint, at their longest. */
export const longestHead = 20;
const longestVarint = 10;
/** As deep as protobuf itself reads. */
const deepest = 100;
const longestText = 2 ** 20;
/** What the description of a model may take in memory: some ten times what the largest real ones take. */
const maxKeptBytes = 256 * 2 ** 20;

export function malformed(what: string, cause?: unknown): AppError {
  return new AppError('MODEL_LOAD_FAILED', { message: `not a readable ONNX file: ${what}`, cause });
}

/**
 * Reads the fields of messages out of a window of a file that moves forward.
 * Source: https://protobuf.dev/programming-guides/encoding
 */
export class WireReader {
  /** Where the next byte to read is in the file. */
  position = 0;
  /** Of the field that was read last. */
  wireType: number = wireTypes.varint;
  valueEnd = 0;
  /** The value of a varint, as an int64: a bigint beyond ±2^53. */
  integer: number | bigint = 0;
  depth = 0;

  readonly #size: number;
  readonly #decoder = new TextDecoder();
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #keptBytes = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Whether the window has that many bytes, or all that the file still has. */
  ready(bytes: number): boolean {
    const wanted = Math.min(this.position + bytes, this.#size);
    return this.position >= this.#windowStart && wanted <= this.#windowStart + this.#window.length;
  }

  /** Puts the bytes at `start` of the file where they are read from. */
  show(window: Uint8Array, start: number): void {
    this.#window = window;
    this.#windowStart = start;
  }

  /** Reads the tag of a field, and its value if that is an integer. Returns its number. */
  field(messageEnd: number): number {
    const tag = Number(this.#varint(messageEnd));
    const number = Math.floor(tag / 8);
    this.wireType = tag - number * 8;
    if (number < 1 || number >= 2 ** 29) throw malformed(`there is no field ${number} (before byte ${this.position})`);
    this.valueEnd = this.#valueEnd(messageEnd);
    if (this.valueEnd > messageEnd) {
      throw malformed(`field ${number} runs past the end of its message (byte ${this.position})`);
    }
    return number;
  }

  #valueEnd(messageEnd: number): number {
    switch (this.wireType) {
      case wireTypes.varint:
        this.integer = this.#varint(messageEnd);
        return this.position;
      case wireTypes.fixed64:
        return this.position + 8;
      case wireTypes.fixed32:
        return this.position + 4;
      case wireTypes.lengthDelimited: {
        const length = this.#varint(messageEnd);
        return length < 0 ? Number.POSITIVE_INFINITY : this.position + Number(length);
      }
      default:
        throw malformed(`unknown wire type ${this.wireType} (before byte ${this.position})`);
    }
  }

  expect(wireType: number): void {
    if (this.wireType === wireType) return;
    throw malformed(`wire type ${this.wireType} instead of ${wireType} (before byte ${this.position})`);
  }

  enter(): void {
    this.depth += 1;
    if (this.depth > deepest) throw malformed(`messages are nested more than ${deepest} deep`);
  }

  /** Counts what is kept in memory. */
  keep(bytes: number): void {
    this.#keptBytes += bytes;
    if (this.#keptBytes > maxKeptBytes) {
      throw malformed(`it describes more than ${maxKeptBytes / 2 ** 20} MiB beside its tensors`);
    }
  }

  /** The text of a field; undefined when it has more than 1 MiB. */
  *text(): Reading<string | undefined> {
    const bytes = yield* this.bytes(longestText);
    return bytes && this.#decoder.decode(bytes);
  }

  /** The bytes of a field, as a view that holds until the next read; undefined when there are more than `most`. */
  *bytes(most: number): Reading<Uint8Array | undefined> {
    this.expect(wireTypes.lengthDelimited);
    const length = this.valueEnd - this.position;
    if (length > most) return undefined;
    if (!this.ready(length)) yield length;
    this.keep(length);
    const start = this.position - this.#windowStart;
    this.position += length;
    return this.#window.subarray(start, start + length);
  }

  /** Integers of a repeated field, packed or not. Past `most` they are read no longer, and the list is one too long. */
  *integers(into: (number | bigint)[], most: number): Reading<void> {
    if (this.wireType === wireTypes.varint) {
      if (into.length <= most) this.#push(into, this.integer);
      return;
    }
    this.expect(wireTypes.lengthDelimited);
    const end = this.valueEnd;
    while (this.position < end && into.length <= most) {
      if (!this.ready(longestVarint)) yield longestVarint;
      this.#push(into, this.#varint(end));
    }
  }

  #push(into: (number | bigint)[], value: number | bigint): void {
    this.keep(8);
    into.push(value);
  }

  #varint(end: number): number | bigint {
    let value = 0;
    // Seven groups of seven bits are what a number holds exactly.
    for (let shift = 1, at = 0; at < 7; at += 1, shift *= 128) {
      const byte = this.#byte(end);
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    let large = BigInt(value);
    for (let bits = 49n; bits < 70n; bits += 7n) {
      const byte = this.#byte(end);
      large |= BigInt(byte & 127) << bits;
      if (byte < 128) return shortest(BigInt.asIntN(64, large));
    }
    throw malformed(`an integer of more than ${longestVarint} bytes (before byte ${this.position})`);
  }

  #byte(end: number): number {
    const byte = this.#window[this.position - this.#windowStart];
    if (this.position >= end || byte === undefined) throw malformed(`it ends within a field (byte ${this.position})`);
    this.position += 1;
    return byte;
  }
}

function shortest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
