import { checkJsonAnswer } from '../../../../serving/answer-limit.ts';
import type { DecodableInference } from '../../../../serving/infer.ts';
import { tensorToBytes } from '../../../../tensor/binary-codec.ts';
import { tensorToJson } from '../../../../tensor/json/json-output.ts';
import { areLarge, encodeTexts, tensorText } from '../../../../tensor/sliced-json/write-sliced-json.ts';
import type { Tensor } from '../../../../tensor/tensor.ts';
import type { SlicedWork } from '../../../../timing/sliced-work.ts';
import { bestClasses } from '../../values/classification.ts';
import type { RequestedOutput } from './infer-request.ts';

/** What shapes a reply beside the outputs. */
export interface ReplyOptions {
  readonly id?: string | undefined;
  /** In the order of the reply; all outputs of the model when undefined. */
  readonly outputs?: readonly RequestedOutput[] | undefined;
  /** Whether outputs that were not asked for by name are binary. */
  readonly binaryOutputs: boolean;
}

/** The body of a reply. */
export interface InferReply {
  /** JSON, and then a section for each output that is binary; the sections are views of the outputs. */
  readonly parts: readonly Uint8Array[];
  /** Length of the JSON, where binary data follows it. */
  readonly jsonBytes: number | undefined;
}

/**
 * Writes the outputs as the protocol has them.
 *
 * @see https://github.com/kserve/open-inference-protocol (Inference Response JSON Object)
 * @throws AppError `ANSWER_TOO_LARGE`; `MALFORMED_TENSOR` when the classes of an output are wanted that has none
 */
export function* encodeReply(
  result: DecodableInference,
  { id, outputs, binaryOutputs }: ReplyOptions,
): SlicedWork<InferReply> {
  const { model } = result;
  const wanted =
    outputs ?? model.signature.outputs.map(({ name }) => ({ name, binary: binaryOutputs, top: undefined }));
  const sections: Uint8Array[] = [];
  const written = wanted.flatMap((output) => {
    const tensor = result.outputs[output.name];
    return tensor === undefined ? [] : [{ output, tensor: classesOf(tensor, output, model) }];
  });
  const asJson = written.filter(({ output }) => !output.binary).map(({ tensor }) => tensor);
  checkJsonAnswer(asJson, result.answerLimitBytes);
  const header = {
    ...(id !== undefined && { id }),
    model_name: model.name,
    model_version: model.version,
  };
  if (areLarge(asJson)) return yield* encodeLarge(header, written);
  const described = written.map(({ output, tensor }) => describe(tensor, output, sections));
  const json = Buffer.from(JSON.stringify({ ...header, outputs: described }));
  const hasBinary = sections.some(({ byteLength }) => byteLength > 0);
  return { parts: [json, ...sections], jsonBytes: hasBinary ? json.byteLength : undefined };
}

interface WrittenOutput {
  readonly output: RequestedOutput;
  readonly tensor: Tensor;
}

/** As {@link encodeReply} does it, the elements of the tensors in pieces. */
function* encodeLarge(header: object, written: readonly WrittenOutput[]): SlicedWork<InferReply> {
  const sections: Uint8Array[] = [];
  const texts = [`${JSON.stringify(header).slice(0, -1)},"outputs":[`];
  for (const [index, { output, tensor }] of written.entries()) {
    if (index > 0) texts.push(',');
    if (output.binary) {
      texts.push(JSON.stringify(describe(tensor, output, sections)));
      continue;
    }
    const { datatype, shape, data } = tensor;
    texts.push(`${JSON.stringify({ name: output.name, datatype, shape }).slice(0, -1)},"data":`);
    for (const text of yield* tensorText({ ...tensor, shape: [data.length] })) texts.push(text);
    texts.push('}');
  }
  texts.push(']}');
  const { pieces, byteLength } = yield* encodeTexts(texts);
  const hasBinary = sections.some((section) => section.byteLength > 0);
  return { parts: [...pieces, ...sections], jsonBytes: hasBinary ? byteLength : undefined };
}

function classesOf(tensor: Tensor, { name, top }: RequestedOutput, model: DecodableInference['model']): Tensor {
  if (top === undefined) return tensor;
  return bestClasses(tensor, { name, top }, model);
}

function describe(tensor: Tensor, { name, binary }: RequestedOutput, sections: Uint8Array[]) {
  const { datatype, shape } = tensor;
  if (!binary) return { name, datatype, shape, data: tensorToJson(tensor) };
  const section = tensorToBytes(tensor);
  sections.push(section);
  return { name, datatype, shape, parameters: { binary_data_size: section.byteLength } };
}
