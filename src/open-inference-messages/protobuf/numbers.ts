import { expectWireType, type Field } from './field.ts';
import { malformed, WireReader, wireTypes } from './wire-reader.ts';

/*
 * Lists of numbers are read into typed arrays, whose memory is taken once their length is known. Clients may write them packed,
 * which is a field of all of them, or as a field for each.
 */

interface NumberArray {
  readonly length: number;
  readonly buffer: ArrayBufferLike;
  readonly byteLength: number;
  subarray(start: number, end: number): this;
}

interface ArrayType<A extends NumberArray> {
  new (length: number): A;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

export function bools(number: number): Field<Uint8Array<ArrayBufferLike>, never> {
  return varints(number, Uint8Array, (array) => (index, low, high) => {
    array[index] = (low | high) === 0 ? 0 : 1;
  });
}

/** 32-bit integers; as the format has it, higher bits are ignored. */
export function int32s(number: number): Field<Int32Array<ArrayBufferLike>, never> {
  return varints(number, Int32Array, (array) => (index, low) => {
    array[index] = low;
  });
}

/** As {@link int32s}, without a sign. */
export function uint32s(number: number): Field<Uint32Array<ArrayBufferLike>, never> {
  return varints(number, Uint32Array, (array) => (index, low) => {
    array[index] = low;
  });
}

export function int64s(number: number): Field<BigInt64Array<ArrayBufferLike>, readonly (number | bigint)[]> {
  return {
    ...varints(number, BigInt64Array, halves),
    write(writer, values) {
      if (values.length === 0) return;
      const packed = writer.nested();
      for (const value of values) packed.bigVarint(BigInt(value));
      writer.field(number, packed.finish());
    },
  };
}

export function uint64s(number: number): Field<BigUint64Array<ArrayBufferLike>, never> {
  return varints(number, BigUint64Array, halves);
}

export function floats(number: number): Field<Float32Array<ArrayBufferLike>, never> {
  return fixed(number, Float32Array, wireTypes.fixed32);
}

export function doubles(number: number): Field<Float64Array<ArrayBufferLike>, never> {
  return fixed(number, Float64Array, wireTypes.fixed64);
}

type Put = (index: number, low: number, high: number) => void;

/** Writes 64-bit elements by their halves, for a bigint each would be an object each. */
function halves(array: BigInt64Array | BigUint64Array): Put {
  const words = new Int32Array(array.buffer, array.byteOffset, 2 * array.length);
  return (index, low, high) => {
    words[2 * index] = low;
    words[2 * index + 1] = high;
  };
}

function varints<A extends NumberArray>(number: number, type: ArrayType<A>, putInto: (array: A) => Put) {
  return {
    number,
    empty: new type(0),
    read(reader: WireReader, wireType: number, previous: A): A {
      const isPacked = wireType === wireTypes.lengthDelimited;
      if (!isPacked) expectWireType(number, wireType, wireTypes.varint);
      const packed = isPacked ? reader.bytes() : undefined;
      const source = packed === undefined ? reader : new WireReader(packed);
      const array = extended(type, previous, packed === undefined ? 1 : countVarints(packed));
      const put = putInto(array);
      for (let index = previous.length; index < array.length; index++) {
        source.varint();
        put(index, source.low, source.high);
      }
      if (packed !== undefined && !source.done) throw malformed(`a number of field ${number} is cut`);
      return array;
    },
    write() {},
  };
}

function fixed<A extends NumberArray>(number: number, type: ArrayType<A>, elementWireType: number) {
  const size = type.BYTES_PER_ELEMENT;
  return {
    number,
    empty: new type(0),
    read(reader: WireReader, wireType: number, previous: A): A {
      const isPacked = wireType === wireTypes.lengthDelimited;
      if (!isPacked) expectWireType(number, wireType, elementWireType);
      const encoded = isPacked ? reader.bytes() : reader.take(size);
      if (encoded.byteLength % size !== 0) throw malformed(`a number of field ${number} is cut`);
      const array = extended(type, previous, encoded.byteLength / size);
      // Fields of numbers are little-endian, as is every host that ONNX Runtime has binaries for.
      new Uint8Array(array.buffer).set(encoded, previous.length * size);
      return array;
    },
    write() {},
  };
}

/** Every varint ends with the one byte whose highest bit is not set. */
function countVarints(packed: Uint8Array): number {
  let count = 0;
  for (const byte of packed) if (byte < 0x80) count += 1;
  return count;
}

/** The elements of `previous` and room for more: in the same buffer if it has room, else in one of twice the size. */
function extended<A extends NumberArray>(type: ArrayType<A>, previous: A, more: number): A {
  const length = previous.length + more;
  if (previous.length === 0) return new type(length);
  if (length * type.BYTES_PER_ELEMENT <= previous.buffer.byteLength) return new type(previous.buffer, 0, length);
  const grown = new type(Math.max(length, 2 * previous.length));
  new Uint8Array(grown.buffer).set(new Uint8Array(previous.buffer, 0, previous.byteLength));
  return grown.subarray(0, length);
}
