import { tensorToBytes } from '../tensor/binary-codec.ts';
import { tensorToJson, tensorToNested } from '../tensor/json/json-output.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Header that says how many bytes of a body are its JSON. */
export const jsonLengthHeader = 'inference-header-content-length';

/** Tensors for all inputs of a model, by name. */
export type Inputs = ReadonlyMap<string, Tensor>;

/** An input of a request as the protocol has it. */
export interface InputObject {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters?: object;
  readonly data?: unknown;
}

/** Body of a request. */
export interface InferRequest {
  readonly id?: string;
  readonly parameters?: object;
  readonly inputs: readonly InputObject[];
  readonly outputs?: readonly { readonly name: string; readonly parameters?: object }[];
}

/** A body and the headers that belong to it. */
export interface EncodedBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A request whose elements stand in its JSON. */
export function jsonRequest(inputs: Inputs, form: 'flat' | 'nested' = 'flat'): InferRequest {
  return { inputs: [...inputs].map(([name, tensor]) => jsonInput(name, tensor, form)) };
}

function jsonInput(name: string, tensor: Tensor, form: 'flat' | 'nested'): InputObject {
  const { datatype, shape } = tensor;
  const data = form === 'flat' || shape.length === 0 ? tensorToJson(tensor) : tensorToNested(tensor);
  return { name, datatype, shape, data };
}

/** A request with JSON of its own, and the sections that follow it. */
export interface BinaryRequest {
  readonly request: InferRequest;
  readonly sections: readonly Uint8Array[];
}

/** A request whose inputs are binary, but for those that `formOf` wants as JSON. */
export function binaryRequest(
  inputs: Inputs,
  formOf: (index: number) => 'flat' | 'binary' = () => 'binary',
): BinaryRequest {
  const sections: Uint8Array[] = [];
  const described = [...inputs].map(([name, tensor], index) => {
    if (formOf(index) === 'flat') return jsonInput(name, tensor, 'flat');
    const section = tensorToBytes(tensor);
    sections.push(section);
    const { datatype, shape } = tensor;
    return { name, datatype, shape, parameters: { binary_data_size: section.byteLength } };
  });
  return { request: { inputs: described }, sections };
}

/** The body of a request of JSON alone. */
export function encodeJson(request: unknown): EncodedBody {
  return { headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(request)) };
}

/** JSON, and behind it the sections. */
export function encodeBinary({ request, sections }: BinaryRequest): EncodedBody {
  const json = Buffer.from(JSON.stringify(request));
  return {
    headers: { 'content-type': 'application/octet-stream', [jsonLengthHeader]: String(json.byteLength) },
    body: Buffer.concat([json, ...sections]),
  };
}
