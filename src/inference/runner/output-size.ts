import { typedArrays } from '../../tensor/data-type.ts';
import { datatypeOf } from './messages.ts';

/** What ONNX Runtime says of an output. */
export interface RunOutput {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data?: unknown;
}

/** Bytes that a text takes beside its characters. */
const textHeadBytes = 4;

/** How many bytes the outputs would take on their way to the main process, at least; nothing of them is copied. */
export function outputBytes(outputs: readonly (RunOutput | undefined)[]): number {
  return outputs.reduce((sum, output) => sum + bytesOf(output), 0);
}

function bytesOf(output: RunOutput | undefined): number {
  const datatype = output && datatypeOf[output.type];
  if (output === undefined || datatype === undefined) return 0;
  if (datatype === 'BYTES') return textBytes(output.data as readonly string[]);
  return output.dims.reduce((product, size) => product * size, typedArrays[datatype].BYTES_PER_ELEMENT);
}

function textBytes(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) bytes += textHeadBytes + text.length;
  return bytes;
}
