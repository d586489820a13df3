import { tensorFromBytes } from '../tensor/binary-codec.ts';
import { tensorFromJson } from '../tensor/json/json-codec.ts';
import { quoteShape } from '../tensor/malformed-tensor.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Reply } from './http-client.ts';
import { jsonLengthHeader } from './infer-request.ts';
import { expectStatus, type Fields, isObject, readJsonObject, show } from './json.ts';
import type { Answer } from './same-tensor.ts';
import { expect, NotMet } from './verdict.ts';

/** An inference reply that has been read. */
export interface InferReply {
  readonly json: Fields;
  /** In the order of the reply. */
  readonly outputs: Answer;
  /** Names of the outputs that came as bytes. */
  readonly binary: ReadonlySet<string>;
}

/**
 * Reads a reply of status 200, and checks every member and every output on the way.
 *
 * @throws NotMet
 */
export function readInferReply(reply: Reply): InferReply {
  expectStatus(reply, 200);
  const jsonBytes = readJsonLength(reply);
  const json = readJsonObject(reply.body.subarray(0, jsonBytes));
  const { model_name: model, outputs: list } = json;
  expect(typeof model === 'string', `model_name: expected a text, received ${show(model)}`);
  expect(Array.isArray(list), `outputs: expected a list, received ${show(list)}`);

  const outputs = new Map<string, Tensor>();
  const binary = new Set<string>();
  let offset = jsonBytes;
  for (const output of list) {
    expect(isObject(output), `an output is ${show(output)}, not an object`);
    const { name } = output;
    expect(typeof name === 'string', `the name of an output is ${show(name)}, not a text`);
    expect(!outputs.has(name), `the output ${show(name)} came twice`);
    const byteSize = byteSizeOf(output);
    if (byteSize !== undefined) binary.add(name);
    const section = reply.body.subarray(offset, offset + (byteSize ?? 0));
    offset += byteSize ?? 0;
    outputs.set(name, readOutput(name, output, byteSize === undefined ? undefined : section));
  }
  expect(
    offset === reply.body.byteLength,
    `the JSON and the sections take ${offset} bytes, the body has ${reply.body.byteLength}`,
  );
  return { json, outputs, binary };
}

function readJsonLength({ headers, body }: Reply): number {
  const header = headers[jsonLengthHeader];
  if (header === undefined) return body.byteLength;
  const length = Number(header);
  expect(
    Number.isInteger(length) && length > 0 && length <= body.byteLength,
    `${jsonLengthHeader} is ${show(header)}, the body has ${body.byteLength} bytes`,
  );
  return length;
}

function byteSizeOf({ name, parameters, data }: Fields): number | undefined {
  const size = isObject(parameters) ? parameters['binary_data_size'] : undefined;
  if (size === undefined) return undefined;
  expect(typeof size === 'number', `output ${show(name)}: binary_data_size is ${show(size)}`);
  expect(data === undefined, `output ${show(name)} has both data and binary_data_size`);
  return size;
}

function readOutput(name: string, { datatype, shape, data }: Fields, section: Uint8Array | undefined): Tensor {
  expect(typeof datatype === 'string', `output ${show(name)}: datatype is ${show(datatype)}, not a text`);
  expect(
    Array.isArray(shape) && shape.every((size) => Number.isInteger(size)),
    `output ${show(name)}: shape is ${show(shape)}, not a list of whole numbers`,
  );
  try {
    if (section !== undefined) return tensorFromBytes({ datatype, shape, section }, name);
    return tensorFromJson({ datatype, shape, data }, name);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NotMet(`the output is no ${datatype} of shape ${quoteShape(shape)} (${elementCount(shape)}): ${reason}`);
  }
}
