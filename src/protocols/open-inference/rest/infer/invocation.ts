import { JsonPieces } from '../../../../tensor/sliced-json/write-sliced-json.ts';
import { inTurns } from '../../../../timing/turns.ts';
import { binaryMediaType, type Invocation } from '../../../invocation.ts';
import { decodeInputs } from './decode.ts';
import { encodeReply } from './encode.ts';
import { readInferenceRequest } from './infer-request.ts';

/**
 * Reads an inference request that comes by another way than `/v2`, such as SageMaker's `/invocations`, which lets no
 * header through: the length of the JSON stands in the media type.
 *
 * @throws AppError `MALFORMED_BODY` that names the member
 */
export function readOpenInferenceInvocation(json: unknown, binary: Uint8Array): Invocation {
  const request = readInferenceRequest(json);
  return {
    outputs: request.outputs?.map((output) => output.name),
    timeoutMs: request.timeoutMs,
    priority: request.priority,
    encode: (model) => inTurns(decodeInputs({ kind: 'json', request, binary }, model)),
    decode: async (result) => {
      const { parts, jsonBytes } = await inTurns(encodeReply(result, request));
      const mediaType = jsonBytes === undefined ? 'application/json' : binaryMediaType(jsonBytes);
      return { mediaType, body: new JsonPieces(parts) };
    },
  };
}
