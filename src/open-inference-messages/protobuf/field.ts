import { malformed, type WireReader, wireTypes } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * How one field of a message is read and written; what is read can have more than what may be written.
 * A value that is `empty` is not written, as proto3 has it.
 */
export interface Field<Read, Written = Read> {
  readonly number: number;
  /** The value of a field that the message does not have. */
  readonly empty: Read;
  /** Reads one occurrence of the field; `previous` is what its earlier ones gave. */
  read(reader: WireReader, wireType: number, previous: Read): Read;
  write(writer: WireWriter, value: Written): void;
}

export function bool(number: number): Field<boolean> {
  return {
    number,
    empty: false,
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.varint);
      reader.varint();
      return (reader.low | reader.high) !== 0;
    },
    write(writer, value) {
      writer.tag(number, wireTypes.varint);
      writer.varint(value ? 1 : 0);
    },
  };
}

/** An enumeration, by its numbers. */
export function enumeration<T extends number>(number: number, values: readonly [T, ...T[]]): Field<T> {
  return {
    number,
    empty: values[0],
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.varint);
      reader.varint();
      return values.find((value) => value === reader.low) ?? values[0];
    },
    write(writer, value) {
      writer.tag(number, wireTypes.varint);
      writer.varint(value);
    },
  };
}

/** A 32-bit integer from 0 up; negative ones are not used. */
export function uint32(number: number): Field<number> {
  return {
    number,
    empty: 0,
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.varint);
      reader.varint();
      return reader.low >>> 0;
    },
    write(writer, value) {
      writer.tag(number, wireTypes.varint);
      writer.varint(value);
    },
  };
}

export function int64(number: number): Field<bigint> {
  return bigField(number, (value) => BigInt.asIntN(64, value));
}

export function uint64(number: number): Field<bigint> {
  return bigField(number, (value) => value);
}

function bigField(number: number, convert: (value: bigint) => bigint): Field<bigint> {
  return {
    number,
    empty: 0n,
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.varint);
      reader.varint();
      return convert((BigInt(reader.high >>> 0) << 32n) | BigInt(reader.low >>> 0));
    },
    write(writer, value) {
      writer.tag(number, wireTypes.varint);
      writer.bigVarint(value);
    },
  };
}

export function double(number: number): Field<number> {
  return {
    number,
    empty: 0,
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.fixed64);
      return reader.double();
    },
    write(writer, value) {
      writer.tag(number, wireTypes.fixed64);
      writer.double(value);
    },
  };
}

export function string(number: number): Field<string> {
  return {
    number,
    empty: '',
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.lengthDelimited);
      return decodeText(number, reader.bytes());
    },
    write: (writer, value) => writer.text(number, value),
  };
}

const noBytes = new Uint8Array(0);

/** Bytes as a view of the message. */
export function bytes(number: number): Field<Uint8Array> {
  return {
    number,
    empty: noBytes,
    read(reader, wireType) {
      expectWireType(number, wireType, wireTypes.lengthDelimited);
      return reader.bytes();
    },
    write: (writer, value) => writer.field(number, value),
  };
}

/** A field that is told apart from its empty value: undefined when absent. The members of a `oneof` are such fields. */
export function optional<Read, Written>(field: Field<Read, Written>): Field<Read | undefined, Written | undefined> {
  return {
    number: field.number,
    empty: undefined,
    read: (reader, wireType, previous) => field.read(reader, wireType, previous ?? field.empty),
    write(writer, value) {
      if (value !== undefined) field.write(writer, value);
    },
  };
}

/** A list of what is not a number. */
export function repeated<Read, Written>(field: Field<Read, Written>): Field<readonly Read[], readonly Written[]> {
  const empty: Read[] = [];
  return {
    number: field.number,
    empty,
    read(reader, wireType, previous) {
      const element = field.read(reader, wireType, field.empty);
      if (previous === empty) return [element];
      // This very list was made by the line above, for the message that is being read.
      (previous as Read[]).push(element);
      return previous;
    },
    write(writer, values) {
      for (const value of values) field.write(writer, value);
    },
  };
}

export function expectWireType(number: number, received: number, expected: number): void {
  if (received !== expected) throw malformed(`field ${number} has the wire type ${received}, not ${expected}`);
}

export function decodeText(number: number, encoded: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(encoded);
  } catch {
    throw malformed(`field ${number} is not UTF-8`);
  }
}
