import { splitSections, tensorFromBytes, tensorToBytes } from '../tensor/binary-codec.ts';
import { tensorFromJson } from '../tensor/json/json-codec.ts';
import { parseJson } from '../tensor/json/parse-json.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ClientError } from './client-error.ts';
import { type Members, readList, readMembers, readNumber, readOptionalText, readText } from './read-json.ts';
import type { AnyTensor } from './tensors.ts';

/** Length of the JSON before the binary data of a body. */
export const jsonLengthHeader = 'inference-header-content-length';

export interface InferMessage {
  readonly id?: string | undefined;
  readonly inputs: Readonly<Record<string, AnyTensor>>;
  /** Names of the wanted outputs; all when undefined. */
  readonly outputs?: readonly string[] | undefined;
}

/** A body of JSON, and behind it the bytes of every input. */
export interface EncodedInfer {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly jsonBytes: number;
}

/** An answer as it came. */
export interface ReceivedInfer {
  readonly headers: { get(name: string): string | null };
  readonly bytes: Uint8Array;
}

/** What a server answers to `infer`. */
export interface DecodedInfer {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly id: string | undefined;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/**
 * Writes a request of the Open Inference Protocol with binary tensors, which asks for binary outputs.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export function encodeInfer({ id, inputs, outputs }: InferMessage): EncodedInfer {
  const entries = Object.entries(inputs).map(([name, tensor]) => ({ name, tensor, section: tensorToBytes(tensor) }));
  const json = JSON.stringify({
    id,
    inputs: entries.map(({ name, tensor: { datatype, shape }, section }) => ({
      name,
      datatype,
      shape,
      parameters: { binary_data_size: section.byteLength },
    })),
    outputs: outputs?.map((name) => ({ name, parameters: { binary_data: true } })),
    ...(outputs === undefined && { parameters: { binary_data_output: true } }),
  });
  const header = new TextEncoder().encode(json);
  return { body: concatenate([header, ...entries.map(({ section }) => section)]), jsonBytes: header.byteLength };
}

/**
 * Reads an answer whose tensors are binary, JSON, or some of each.
 *
 * @throws ClientError when it cannot be read
 */
export function decodeInfer({ headers, bytes }: ReceivedInfer): DecodedInfer {
  try {
    const length = headers.get(jsonLengthHeader);
    const jsonBytes = length === null ? bytes.byteLength : Number(length);
    const answer = readMembers(parseJson(bytes.subarray(0, jsonBytes)), 'the answer');
    return {
      modelName: readText(answer, 'model_name'),
      modelVersion: readOptionalText(answer, 'model_version'),
      id: readOptionalText(answer, 'id'),
      outputs: readOutputs(answer['outputs'], bytes.subarray(jsonBytes)),
    };
  } catch (thrown) {
    if (thrown instanceof ClientError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ClientError(`The server's answer cannot be read: ${reason}`, { cause: thrown });
  }
}

function readOutputs(value: unknown, binary: Uint8Array): Record<string, Tensor> {
  const outputs = readList(value, 'outputs', readOutput);
  const sizes = outputs.flatMap(({ name, byteSize }) => (byteSize === undefined ? [] : [{ name, byteSize }]));
  const sections = splitSections(binary, sizes).values();
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { name, datatype, shape, byteSize, data } of outputs) {
    tensors[name] =
      byteSize === undefined
        ? tensorFromJson({ datatype, shape, data }, name)
        : tensorFromBytes({ datatype, shape, section: sections.next().value ?? new Uint8Array() }, name);
  }
  return tensors;
}

function readOutput(value: unknown) {
  const output: Members = readMembers(value, 'an output');
  const parameters = readMembers(output['parameters'] ?? {}, 'parameters');
  const size = parameters['binary_data_size'];
  return {
    name: readText(output, 'name'),
    datatype: readText(output, 'datatype'),
    shape: readList(output['shape'], 'shape', (dimension) => readNumber(dimension, 'a dimension')),
    byteSize: size === undefined ? undefined : readNumber(size, 'binary_data_size'),
    data: output['data'],
  };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
