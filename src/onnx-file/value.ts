import { embedded, type FieldHandler, integer, message, text } from './message.ts';
import type { OnnxValue } from './onnx-file.ts';

/** The names of `TensorProto.DataType` by their numbers. */
const elementTypes = [
  'undefined',
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

type ValueType = Omit<OnnxValue, 'name'>;
const unknownType: ValueType = { kind: 'unknown', type: 'unknown' };
const mostDimensions = 64;

function elementType(number: number | bigint): string {
  return elementTypes[Number(number)] ?? `type ${number}`;
}

/** Reads a `ValueInfoProto`. */
export function value(set: (value: OnnxValue) => void): FieldHandler {
  return embedded(function* readValue(reader, end) {
    let name = '';
    let valueType = unknownType;
    yield* message(reader, end, {
      1: text((read) => {
        name = read;
      }),
      2: type((read) => {
        valueType = read;
      }),
    });
    set({ name, ...valueType });
  });
}

/** Reads a `TypeProto`. */
function type(set: (type: ValueType) => void): FieldHandler {
  return embedded((reader, end) =>
    message(reader, end, {
      1: tensorType('tensor', set),
      4: elementOf('sequence', 'seq', set),
      5: mapType(set),
      8: tensorType('sparse_tensor', set),
      9: elementOf('optional', 'optional', set),
    }),
  );
}

function tensorType(kind: 'tensor' | 'sparse_tensor', set: (type: ValueType) => void): FieldHandler {
  return embedded(function* readTensorType(reader, end) {
    let element: number | bigint = 0;
    let shape: (number | string)[] | undefined;
    yield* message(reader, end, {
      1: integer((read) => {
        element = read;
      }),
      2: embedded((field, shapeEnd) => {
        const dims: (number | string)[] = [];
        shape = dims;
        return message(field, shapeEnd, { 1: dimension((dim) => dims.length < mostDimensions && dims.push(dim)) });
      }),
    });
    set({ kind, type: `${kind}(${elementType(element)})`, ...(shape && { shape }) });
  });
}

/** Reads a `TensorShapeProto.Dimension`; a negative one is unknown, as ONNX Runtime takes it. */
function dimension(set: (dim: number | string) => void): FieldHandler {
  return embedded(function* readDimension(reader, end) {
    let dim: number | string = '';
    yield* message(reader, end, {
      1: integer((read) => {
        dim = read < 0 ? '' : Number(read);
      }),
      2: text((read) => {
        dim = read;
      }),
    });
    set(dim);
  });
}

function elementOf(kind: 'sequence' | 'optional', word: string, set: (type: ValueType) => void): FieldHandler {
  return embedded(function* readElement(reader, end) {
    let element = unknownType;
    yield* message(reader, end, {
      1: type((read) => {
        element = read;
      }),
    });
    set({ kind, type: `${word}(${element.type})` });
  });
}

function mapType(set: (type: ValueType) => void): FieldHandler {
  return embedded(function* readMap(reader, end) {
    let key: number | bigint = 0;
    let element = unknownType;
    yield* message(reader, end, {
      1: integer((read) => {
        key = read;
      }),
      2: type((read) => {
        element = read;
      }),
    });
    set({ kind: 'map', type: `map(${elementType(key)},${element.type})` });
  });
}
