// Writes ONNX models of any kind, by the field numbers of onnx.proto.

export type Attribute =
  | { readonly name: string; readonly int: number | bigint }
  | { readonly name: string; readonly ints: readonly (number | bigint)[] }
  | { readonly name: string; readonly floats: readonly number[] }
  | { readonly name: string; readonly string: string }
  | { readonly name: string; readonly strings: readonly string[] }
  | { readonly name: string; readonly tensor: Tensor }
  | { readonly name: string; readonly graph: Graph };

export interface Node {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: readonly Attribute[];
}

export interface Tensor {
  readonly name?: string;
  /** `TensorProto.DataType` */
  readonly type: number;
  readonly dims: readonly number[];
  readonly raw?: Uint8Array;
  readonly int32s?: readonly number[];
  readonly int64s?: readonly bigint[];
  /** Its values are in that file beside the model. */
  readonly location?: string;
}

export type ValueType =
  | { readonly element: number; readonly shape?: readonly (number | string)[]; readonly sparse?: boolean }
  | { readonly sequence: ValueType }
  | { readonly optional: ValueType }
  | { readonly key: number; readonly value: ValueType };

export interface Graph {
  readonly nodes?: readonly Node[];
  readonly inputs?: Readonly<Record<string, ValueType>>;
  readonly outputs?: Readonly<Record<string, ValueType>>;
  readonly initializers?: readonly Tensor[];
}

export interface Model extends Graph {
  readonly opsets?: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly producer?: string;
  readonly functions?: readonly { readonly name: string; readonly domain: string; readonly nodes: readonly Node[] }[];
}

export const float = 1;
export const int32 = 6;
export const int64 = 7;
export const string = 8;

export function onnxModel(model: Model): Buffer {
  const { opsets = { '': 18 }, metadata = {}, functions = [], producer } = model;
  return Buffer.concat([
    integer(1, 9),
    ...(producer === undefined ? [] : [text(2, producer)]),
    bytes(7, graph(model)),
    ...Object.entries(opsets).map(([domain, version]) =>
      bytes(8, Buffer.concat([text(1, domain), integer(2, version)])),
    ),
    ...entries(14, metadata),
    ...functions.map(({ name, domain, nodes }) =>
      bytes(25, Buffer.concat([text(1, name), ...nodes.map((each) => bytes(7, node(each))), text(10, domain)])),
    ),
  ]);
}

function graph({ nodes = [], inputs = {}, outputs = {}, initializers = [] }: Graph): Buffer {
  return Buffer.concat([
    ...nodes.map((each) => bytes(1, node(each))),
    text(2, 'graph'),
    ...initializers.map((each) => bytes(5, tensor(each))),
    ...Object.entries(inputs).map(([name, type]) => bytes(11, value(name, type))),
    ...Object.entries(outputs).map(([name, type]) => bytes(12, value(name, type))),
  ]);
}

function node({ op, domain = '', name = '', inputs = [], outputs = [], attributes = [] }: Node): Buffer {
  return Buffer.concat([
    // An empty name is an optional input that is absent.
    ...inputs.map((input) => bytes(1, Buffer.from(input))),
    ...outputs.map((output) => text(2, output)),
    text(3, name),
    text(4, op),
    ...attributes.map((each) => bytes(5, attribute(each))),
    text(7, domain),
  ]);
}

/** With `AttributeProto.AttributeType` as the last field, as ONNX Runtime wants it. */
function attribute(given: Attribute): Buffer {
  const name = text(1, given.name);
  if ('int' in given) return Buffer.concat([name, integer(3, given.int), integer(20, 2)]);
  if ('string' in given) return Buffer.concat([name, text(4, given.string), integer(20, 3)]);
  if ('tensor' in given) return Buffer.concat([name, bytes(5, tensor(given.tensor)), integer(20, 4)]);
  if ('graph' in given) return Buffer.concat([name, bytes(6, graph(given.graph)), integer(20, 5)]);
  if ('floats' in given) return Buffer.concat([name, ...given.floats.map((each) => float32(7, each)), integer(20, 6)]);
  if ('ints' in given) return Buffer.concat([name, ...given.ints.map((each) => integer(8, each)), integer(20, 7)]);
  return Buffer.concat([name, ...given.strings.map((each) => text(9, each)), integer(20, 8)]);
}

function tensor({ name = '', type, dims, raw, int32s, int64s, location }: Tensor): Buffer {
  return Buffer.concat([
    ...dims.map((dim) => integer(1, dim)),
    integer(2, type),
    ...(int32s ? [bytes(5, Buffer.concat(int32s.map(varint)))] : []),
    ...(int64s ? [bytes(7, Buffer.concat(int64s.map(varint)))] : []),
    text(8, name),
    ...(raw ? [bytes(9, raw)] : []),
    ...(location === undefined ? [] : [...entries(13, { location }), integer(14, 1)]),
  ]);
}

function value(name: string, type: ValueType): Buffer {
  return Buffer.concat([text(1, name), bytes(2, typeProto(type))]);
}

function typeProto(type: ValueType): Buffer {
  if ('sequence' in type) return bytes(4, bytes(1, typeProto(type.sequence)));
  if ('optional' in type) return bytes(9, bytes(1, typeProto(type.optional)));
  if ('key' in type) return bytes(5, Buffer.concat([integer(1, type.key), bytes(2, typeProto(type.value))]));
  const shape = type.shape?.map((dim) => bytes(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim)));
  const element = [integer(1, type.element), ...(shape ? [bytes(2, Buffer.concat(shape))] : [])];
  return bytes(type.sparse ? 8 : 1, Buffer.concat(element));
}

function entries(number: number, map: Readonly<Record<string, string>>): Buffer[] {
  return Object.entries(map).map(([key, each]) => bytes(number, Buffer.concat([text(1, key), text(2, each)])));
}

export function varint(of: number | bigint): Buffer {
  const groups: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(of));
  do {
    groups.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(groups);
}

export function integer(number: number, of: number | bigint): Buffer {
  return Buffer.concat([varint(number * 8), varint(of)]);
}

function float32(number: number, of: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(of);
  return Buffer.concat([varint(number * 8 + 5), data]);
}

export function text(number: number, of: string): Buffer {
  return of === '' ? Buffer.alloc(0) : bytes(number, Buffer.from(of));
}

export function bytes(number: number, of: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(of.length), of]);
}
