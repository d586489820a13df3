/** A process that runs models in a bare session of onnxruntime-node: what inferd is compared with. */

import { InferenceSession, type OnnxValue } from 'onnxruntime-node';
import type { WireTensor } from './cases.ts';
import { elementsOf, textBytes, textsOf } from './elements.ts';

export interface BareRequest {
  readonly modelPath: string;
  /** Undefined: the model is loaded and not run. */
  readonly inputs: readonly WireTensor[] | undefined;
}

export type BareAnswer =
  | { readonly kind: 'not loaded' | 'not run'; readonly reason: string }
  | { readonly kind: 'loaded' }
  /** Not the same: two runs, or two sessions, differ. */
  | { readonly kind: 'run'; readonly outputs: readonly WireTensor[]; readonly isSame: boolean };

const datatypes: Readonly<Record<string, string>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};
const ortTypes = Object.fromEntries(Object.entries(datatypes).map(([type, datatype]) => [datatype, type]));

const load = (modelPath: string) =>
  InferenceSession.create(modelPath, { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 4 });

async function answer({ modelPath, inputs }: BareRequest): Promise<BareAnswer> {
  let session: InferenceSession;
  try {
    session = await load(modelPath);
  } catch (error) {
    return { kind: 'not loaded', reason: String(error) };
  }
  if (inputs === undefined) return { kind: 'loaded' };
  try {
    const outputs = await run(session, inputs);
    const again = await run(session, inputs);
    const anew = await run(await load(modelPath), inputs);
    const text = JSON.stringify(outputs);
    return { kind: 'run', outputs, isSame: [again, anew].every((other) => JSON.stringify(other) === text) };
  } catch (error) {
    return { kind: 'not run', reason: String(error) };
  }
}

/** Every output that is a tensor of a type with a JavaScript form. */
async function run(session: InferenceSession, inputs: readonly WireTensor[]): Promise<WireTensor[]> {
  const wanted = session.outputMetadata
    .filter((output) => output.isTensor && datatypes[output.type] !== undefined)
    .map(({ name }) => name);
  const results = await session.run(Object.fromEntries(inputs.map((input) => [input.name, feed(input)])), wanted);
  return wanted.map((name) => {
    const { type, dims, data } = results[name] as OnnxValue & { data: string[] | Uint8Array };
    const bytes = Array.isArray(data) ? textBytes(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return { name, datatype: datatypes[type] ?? type, shape: dims, base64: bytes.toString('base64') };
  });
}

function feed({ datatype, shape, base64 }: WireTensor): OnnxValue {
  const bytes = Buffer.from(base64, 'base64');
  // Not an instance of Tensor, because that class makes a Float16Array of halves, which the native layer takes for empty.
  return { type: ortTypes[datatype], dims: shape, location: 'cpu', data: data() } as unknown as OnnxValue;

  function data() {
    if (datatype === 'BYTES') return textsOf(bytes);
    return elementsOf(datatype === 'BOOL' ? 'UINT8' : datatype === 'FP16' ? 'UINT16' : datatype, bytes);
  }
}

process.on('message', async (request: BareRequest) => process.send?.(await answer(request)));
