import type { Decode, Encode } from '../serving/infer.ts';
import type { JsonPieces } from '../tensor/sliced-json/write-sliced-json.ts';

/** What a body of any format asks of a model, whichever that is, and how the outputs become the answer. */
export interface Invocation {
  /** Names of the wanted outputs; all when absent. */
  readonly outputs?: readonly string[] | undefined;
  readonly timeoutMs?: number | undefined;
  readonly priority?: number | undefined;
  readonly encode: Encode;
  readonly decode: Decode<InvocationReply>;
}

export interface InvocationReply {
  readonly mediaType: string;
  readonly body: Uint8Array | JsonPieces;
}

/** Reads a request of the Open Inference Protocol from its JSON and the binary part behind it. */
export type ReadOpenInference = (json: unknown, binary: Uint8Array) => Invocation;

/** The media type of a body that has binary tensors behind `jsonBytes` of JSON, as Triton has it for SageMaker. */
export function binaryMediaType(jsonBytes: number): string {
  return `application/vnd.sagemaker-triton.binary+json;json-header-size=${jsonBytes}`;
}
