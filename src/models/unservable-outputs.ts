import { AppError } from '../errors.ts';
import type { OnnxFile, OnnxValue } from '../onnx-file/read-onnx-file.ts';
import type { ZipMap } from '../onnx-file/zip-map.ts';
import { type UnservableOutput, unservableText } from '../tensor/tensor.ts';

/** The types of tensors that ONNX Runtime's binding for Node.js has a form for. */
const servable = new Set(
  [
    ...['bool', 'uint8', 'uint16', 'uint32', 'uint64', 'int8', 'int16', 'int32', 'int64'],
    ...['float16', 'float', 'double', 'string'],
  ].map((element) => `tensor(${element})`),
);

const withoutZipMap = {
  skl2onnx: "options={id(model): {'zipmap': False}} in to_onnx or convert_sklearn of skl2onnx",
  OnnxMLTools: 'zipmap=False in convert_lightgbm of onnxmltools',
  CatBoost: 'CatBoost always adds the node ZipMap: take it out of the graph, and make what goes into it the output',
};

/**
 * The outputs of a model that cannot be served, and what can be done about each.
 *
 * @param zipMaps dictionaries whose tensors are served in their place
 * @throws AppError `MODEL_LOAD_FAILED` with the remedies when it has no others
 */
export function unservableOutputs(file: OnnxFile, zipMaps: readonly ZipMap[]): readonly UnservableOutput[] {
  const isReplaced = (name: string) => zipMaps.some(({ output }) => output === name);
  const unservable = file.outputs
    .filter(({ name, type }) => !servable.has(type) && !isReplaced(name))
    .map((output) => describe(output, file));
  if (unservable.length === 0 || unservable.length < file.outputs.length) return unservable;
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `None of the outputs of the model can be served: ${unservable.map(unservableText).join('; ')}`,
    received: unservable,
  });
}

function describe(output: OnnxValue, file: OnnxFile): UnservableOutput {
  const { name, kind, type } = output;
  const maker = file.nodes.find((node) => node.inMainGraph && node.outputs.includes(name));
  if (maker?.opType === 'ZipMap' || type.includes('map(')) {
    const why =
      'it is a dictionary for each row, which the node ZipMap makes of the probabilities; only tensors are served';
    return { output: name, type, why, remedy: zipMapRemedy(file.producer) };
  }
  if (kind === 'tensor') {
    const remedy = 'export it as another type, or add the node Cast';
    return { output: name, type, why: 'ONNX Runtime for Node.js has no form for its elements', remedy };
  }
  return {
    output: name,
    type,
    why: 'only tensors are served',
    remedy: kind === 'sequence' ? 'make it a tensor, for example by the node ConcatFromSequence' : 'make it a tensor',
  };
}

function zipMapRemedy(producer: string): string {
  const known = Object.entries(withoutZipMap).find(([name]) => name.toLowerCase() === producer.toLowerCase());
  if (known !== undefined) return known[1];
  return `export without ZipMap: ${withoutZipMap.skl2onnx}, ${withoutZipMap.OnnxMLTools}`;
}
