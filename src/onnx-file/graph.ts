import { embedded, type FieldHandler, integer, message, shortText, text } from './message.ts';
import type { OnnxNode, OnnxValue } from './onnx-file.ts';
import { type TensorSummary, tensor } from './tensor.ts';
import { value } from './value.ts';
import type { Reading, WireReader } from './wire-reader.ts';

/** Longer lists of an attribute (trees, vocabularies) are left out. */
const mostOfAList = 1024;
/** But for the names of classes, which are told. */
const mostClasses = 100_000;
/** What a node takes in memory beside its texts, roughly. */
const nodeBytes = 600;

/** Collects what the graphs of a model say, each where it is found. */
export interface GraphListener {
  node(node: OnnxNode): void;
  initializer(tensor: TensorSummary): void;
  /** A tensor of an attribute; of the node `Constant`, it is what `output` has. */
  constant(output: string | undefined, tensor: TensorSummary): void;
  input(value: OnnxValue): void;
  output(value: OnnxValue): void;
  /** Listens to a graph within this one. */
  readonly subgraph: GraphListener;
  /** Goes before the names of tensors, where they are a space of their own. */
  readonly prefix: string;
}

/** Reads a `GraphProto`. */
export function graph(listener: GraphListener): FieldHandler {
  return embedded((reader, end) =>
    message(reader, end, {
      1: node(listener),
      5: tensor(listener.initializer),
      11: value(listener.input),
      12: value(listener.output),
      15: sparseTensor(listener.initializer),
    }),
  );
}

/** Reads a `FunctionProto`. */
export function localFunction(listener: GraphListener): FieldHandler {
  return embedded((reader, end) =>
    message(reader, end, {
      7: node(listener),
      11: embedded((field, attributeEnd) => attribute(field, attributeEnd, listener, noLists())),
    }),
  );
}

/** The name of a `SparseTensorProto` is that of its values. */
function sparseTensor(set: (tensor: TensorSummary) => void): FieldHandler {
  return embedded((reader, end) => message(reader, end, { 1: tensor(set), 2: tensor(set) }));
}

interface Lists {
  readonly ints: Map<string, readonly bigint[] | readonly number[]>;
  readonly strings: Map<string, readonly string[]>;
  readonly tensors: TensorSummary[];
}

function noLists(): Lists {
  return { ints: new Map(), strings: new Map(), tensors: [] };
}

function node(listener: GraphListener): FieldHandler {
  return embedded(function* readNode(reader, end) {
    const read = { domain: '', opType: '', name: '' };
    const inputs: string[] = [];
    const outputs: string[] = [];
    const lists = noLists();
    reader.keep(nodeBytes);
    // An empty name is an optional tensor that is absent.
    const scoped = (tensorName: string) => (tensorName === '' ? '' : `${listener.prefix}${tensorName}`);
    yield* message(reader, end, {
      1: text((input) => inputs.push(scoped(input))),
      2: text((output) => outputs.push(scoped(output))),
      3: text((name) => {
        read.name = name;
      }),
      4: text((opType) => {
        read.opType = opType;
      }),
      5: embedded((field, attributeEnd) => attribute(field, attributeEnd, listener, lists)),
      7: text((domain) => {
        read.domain = domain;
      }),
    });
    const { ints, strings, tensors } = lists;
    listener.node({ ...read, inputs, outputs, ints, ...(strings.size > 0 && { strings }) });
    const isConstant = read.opType === 'Constant' && (read.domain === '' || read.domain === 'ai.onnx');
    const constant = constantInts(ints);
    if (isConstant && constant) tensors.push({ name: '', smallInts: constant });
    for (const found of tensors) listener.constant(isConstant ? outputs[0] : undefined, found);
  });
}

function constantInts(ints: Lists['ints']): readonly number[] | undefined {
  const list = ints.get('value_int') ?? ints.get('value_ints');
  return list && list.length <= 64 ? list.map(Number) : undefined;
}

/** Reads an `AttributeProto`. */
function* attribute(reader: WireReader, end: number, listener: GraphListener, lists: Lists): Reading<void> {
  let name = '';
  let hasInts = false;
  // Its name comes first.
  const most = () => (name.startsWith('classlabels_') ? mostClasses : mostOfAList);
  const ints: (number | bigint)[] = [];
  const strings: (string | undefined)[] = [];
  const addTensor = tensor((found) => lists.tensors.push(found));
  const addString = shortText((found) => {
    if (strings.length <= most()) strings.push(found);
  });
  yield* message(reader, end, {
    1: text((read) => {
      name = read;
    }),
    3: integer((found) => {
      hasInts = true;
      ints.push(found);
    }),
    4: addString,
    5: addTensor,
    6: graph(listener.subgraph),
    8: (field) => {
      hasInts = true;
      return field.integers(ints, most());
    },
    9: addString,
    10: addTensor,
    11: graph(listener.subgraph),
    22: sparseTensor((found) => lists.tensors.push(found)),
    23: sparseTensor((found) => lists.tensors.push(found)),
  });
  if (hasInts && ints.length <= most()) lists.ints.set(name, sameKind(ints));
  const whole = strings.filter((found) => found !== undefined);
  if (whole.length > 0 && whole.length === strings.length && whole.length <= most()) lists.strings.set(name, whole);
}

function sameKind(ints: readonly (number | bigint)[]): readonly bigint[] | readonly number[] {
  const numbers = ints.filter((value) => typeof value === 'number');
  return numbers.length === ints.length ? numbers : ints.map(BigInt);
}
