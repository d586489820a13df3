import { AppError } from '../../errors.ts';

/** Wire types of protocol buffers that proto3 uses. */
export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** The number of a field, and how its value stands on the wire. */
export interface Tag {
  readonly field: number;
  readonly wireType: number;
}

/**
 * Reads the wire format of protocol buffers. Bytes are views of the message: nothing is copied.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 * @throws AppError `MALFORMED_BODY`, from every method, when the message ends too early or breaks the format
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;
  /** The two halves of the varint that was read last: a number cannot hold 64 bits, and a bigint costs an object. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.byteLength;
  }

  tag(): Tag {
    this.varint();
    const tag = this.low >>> 0;
    if (this.high !== 0 || tag < 8) throw malformed(`a field has the tag ${tag}`);
    return { field: tag >>> 3, wireType: tag & 7 };
  }

  /** Reads up to 64 bits into {@link low} and {@link high}. */
  varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#offset];
      if (byte === undefined) throw endsEarly();
      this.#offset += 1;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 28) high |= bits << (shift - 32);
      else if (shift === 28) high |= bits >>> 4;
      if (byte < 0x80) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw malformed('a number has more than ten bytes');
  }

  /** The length-delimited bytes that follow. */
  bytes(): Uint8Array {
    this.varint();
    if (this.high !== 0) throw endsEarly();
    return this.take(this.low >>> 0);
  }

  /** That many bytes as they are. */
  take(length: number): Uint8Array {
    const end = this.#offset + length;
    if (end > this.#bytes.byteLength) throw endsEarly();
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }

  double(): number {
    const start = this.#offset;
    this.take(8);
    return this.#view.getFloat64(start, true);
  }

  /** Passes over the value of a field that is not known. */
  skip(wireType: number): void {
    if (wireType === wireTypes.varint) this.varint();
    else if (wireType === wireTypes.fixed64) this.take(8);
    else if (wireType === wireTypes.lengthDelimited) this.bytes();
    else if (wireType === wireTypes.fixed32) this.take(4);
    else throw malformed(`a field has the wire type ${wireType}`);
  }
}

/** The error for a message that is none. */
export function malformed(reason: string): AppError {
  return new AppError('MALFORMED_BODY', { message: `The message is not a protocol buffer of its type: ${reason}` });
}

function endsEarly(): AppError {
  return malformed('it ends within a field');
}
