import { malformed, wireTypes } from './wire-reader.ts';

/** Where a field of a message lies in bytes that are there as a whole. */
export interface FieldSpan {
  readonly number: number;
  /** Of the tag. */
  readonly start: number;
  /** Of the value, behind the tag and the length. */
  readonly valueStart: number;
  readonly end: number;
}

/**
 * The fields of the message between `start` and `end`, in their order.
 * Source: https://protobuf.dev/programming-guides/encoding
 *
 * @throws AppError `MODEL_LOAD_FAILED` for bytes that are no message
 */
export function* fieldSpans(bytes: Uint8Array, start: number, end: number): Generator<FieldSpan, void, void> {
  let position = start;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[position];
      if (byte === undefined || position >= end || scale > 2 ** 63) throw malformed(`no integer at byte ${position}`);
      position += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (position < end) {
    const fieldStart = position;
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag - number * 8;
    let valueStart = position;
    if (wireType === wireTypes.varint) varint();
    else if (wireType === wireTypes.fixed64) position += 8;
    else if (wireType === wireTypes.fixed32) position += 4;
    else if (wireType === wireTypes.lengthDelimited) {
      const length = varint();
      valueStart = position;
      position += length;
    } else throw malformed(`unknown wire type ${wireType} (byte ${fieldStart})`);
    if (position > end) throw malformed(`field ${number} runs past the end of its message (byte ${fieldStart})`);
    yield { number, start: fieldStart, valueStart, end: position };
  }
}
