import { tensorToBytes } from '../../../tensor/binary-codec.ts';
import { type JsonElement, tensorToJson } from '../../../tensor/json/json-output.ts';
import type { NamedInput, RemoteCall } from '../transport.ts';

/** A request of the Open Inference Protocol: JSON, and the bytes of every input behind it if they are binary. */
export interface InferBody {
  readonly parts: readonly Uint8Array[];
  /** Length of the JSON; undefined where the whole body is. */
  readonly jsonBytes: number | undefined;
}

/**
 * Writes the request; the rows of several clients stand one behind the other.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export function writeInferBody({ inputs, outputs, requestId, timeoutMs }: RemoteCall, isBinary: boolean): InferBody {
  const common = { ...(requestId !== undefined && { id: requestId }) };
  const parameters = { timeout: Math.max(1, Math.floor(1000 * timeoutMs)) };
  if (!isBinary) {
    const json = JSON.stringify({
      ...common,
      inputs: inputs.map(({ name, datatype, shape, parts }) => ({ name, datatype, shape, data: elements(parts) })),
      outputs: outputs.map((name) => ({ name })),
      parameters,
    });
    return { parts: [Buffer.from(json)], jsonBytes: undefined };
  }
  const sections = inputs.map(({ parts }) => parts.map(tensorToBytes));
  const json = JSON.stringify({
    ...common,
    inputs: inputs.map(({ name, datatype, shape }, index) => ({
      name,
      datatype,
      shape,
      parameters: { binary_data_size: (sections[index] ?? []).reduce((sum, { byteLength }) => sum + byteLength, 0) },
    })),
    outputs: outputs.map((name) => ({ name, parameters: { binary_data: true } })),
    parameters,
  });
  const head = Buffer.from(json);
  return { parts: [head, ...sections.flat()], jsonBytes: head.byteLength };
}

function elements(parts: NamedInput['parts']): readonly JsonElement[] {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? tensorToJson(first) : parts.flatMap(tensorToJson);
}
