import { fieldSpans } from './field-spans.ts';
import type { OnnxFile } from './onnx-file.ts';
import { bytesField, integerField, join } from './write-message.ts';

/** A node that makes a dictionary for each row out of a tensor of probabilities, and says what the columns mean. */
export interface ZipMap {
  /** Name of the dictionaries, which are an output of the model. */
  readonly output: string;
  /** Name of the tensor [rows, classes] of FP32 that goes in. */
  readonly input: string;
  /** Class names in the order of the columns. */
  readonly classes: readonly string[];
}

/** `ModelProto`, `GraphProto`, `NodeProto`, `ValueInfoProto`, `TypeProto` of https://github.com/onnx/onnx, onnx.proto. */
const model = { graph: 7, opset: 8 } as const;
const graph = { node: 1, output: 12 } as const;
const node = { input: 1, output: 2, opType: 4 } as const;
const float = 1;
/** The first version of the operators of ONNX that every ONNX Runtime has. */
const oldestOpset = 9;

/**
 * The dictionaries among the outputs of a model whose tensors can be served in their place: made in the main graph by
 * `ZipMap` with a list of classes (of up to 100,000, as the reader keeps them), and used by no other node.
 */
export function zipMapsOf(file: OnnxFile): readonly ZipMap[] {
  return file.nodes.flatMap((candidate): ZipMap[] => {
    const { domain, opType, inMainGraph, inputs, outputs } = candidate;
    if (opType !== 'ZipMap' || domain !== 'ai.onnx.ml' || !inMainGraph) return [];
    const [input, output] = [inputs[0], outputs[0]];
    const classes = candidate.strings?.get('classlabels_strings') ?? candidate.ints.get('classlabels_int64s');
    if (input === undefined || output === undefined || classes === undefined) return [];
    if (!file.outputs.some(({ name }) => name === output)) return [];
    if (file.nodes.some((other) => other.inputs.includes(output))) return [];
    return [{ output, input, classes: [...classes].map(String) }];
  });
}

/**
 * The bytes of the model with each of the nodes replaced by `Identity`, so that the tensor that goes in comes out under
 * the name of the dictionaries.
 *
 * @throws AppError `MODEL_LOAD_FAILED` for bytes that are no model
 */
export function replaceZipMaps(bytes: Uint8Array, zipMaps: readonly ZipMap[]): Uint8Array {
  const byOutput = new Map(zipMaps.map((zipMap) => [zipMap.output, zipMap]));
  const parts: Uint8Array[] = [];
  let hasOpset = false;
  for (const field of fieldSpans(bytes, 0, bytes.length)) {
    if (field.number === model.graph) {
      parts.push(bytesField(model.graph, join(graphParts(bytes, field.valueStart, field.end, byOutput))));
      continue;
    }
    if (field.number === model.opset) hasOpset ||= isDefaultOpset(bytes, field.valueStart, field.end);
    parts.push(bytes.subarray(field.start, field.end));
  }
  // `Identity` is of the operators of ONNX itself, which a model of trees alone does not import.
  if (!hasOpset) parts.push(bytesField(model.opset, join([bytesField(1, ''), integerField(2, oldestOpset)])));
  return join(parts);
}

function graphParts(
  bytes: Uint8Array,
  start: number,
  end: number,
  byOutput: ReadonlyMap<string, ZipMap>,
): readonly Uint8Array[] {
  return [...fieldSpans(bytes, start, end)].map((field) => {
    const { number, valueStart } = field;
    if (number === graph.node && textOf(bytes, valueStart, field.end, node.opType) === 'ZipMap') {
      const zipMap = byOutput.get(textOf(bytes, valueStart, field.end, node.output) ?? '');
      if (zipMap !== undefined) return bytesField(graph.node, identity(zipMap));
    }
    if (number === graph.output) {
      const zipMap = byOutput.get(textOf(bytes, valueStart, field.end, 1) ?? '');
      if (zipMap !== undefined) return bytesField(graph.output, matrix(zipMap));
    }
    return bytes.subarray(field.start, field.end);
  });
}

function identity({ input, output }: ZipMap): Uint8Array {
  return join([bytesField(node.input, input), bytesField(node.output, output), bytesField(node.opType, 'Identity')]);
}

/** `ValueInfoProto` of a tensor of FP32 with any number of rows and a column for each class. */
function matrix({ output, classes }: ZipMap): Uint8Array {
  const shape = join([bytesField(1, ''), bytesField(1, integerField(1, classes.length))]);
  const tensor = join([integerField(1, float), bytesField(2, shape)]);
  return join([bytesField(1, output), bytesField(2, bytesField(1, tensor))]);
}

function isDefaultOpset(bytes: Uint8Array, start: number, end: number): boolean {
  const domain = textOf(bytes, start, end, 1) ?? '';
  return domain === '' || domain === 'ai.onnx';
}

/** The first field of that number, as a text. */
function textOf(bytes: Uint8Array, start: number, end: number, number: number): string | undefined {
  for (const field of fieldSpans(bytes, start, end)) {
    if (field.number === number) return new TextDecoder().decode(bytes.subarray(field.valueStart, field.end));
  }
  return undefined;
}
