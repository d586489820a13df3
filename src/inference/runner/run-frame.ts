import type { Signature, Tensor } from '../../tensor/tensor.ts';
import type { RunRequest } from '../batcher/executor.ts';
import { align8, frameKind, frameWords, head, headBytes } from './frame.ts';
import {
  descriptionWords,
  elementsBytes,
  readDescriptions,
  readElements,
  writeDescriptions,
  writeElements,
} from './tensor-block.ts';

/** The frame that asks for a run. Rows of all requests are written once, straight into it. */
export function runFrame(request: RunRequest, outputIndexes: readonly number[]): Buffer {
  const { inputs, outputs } = request;
  const descriptionsAt = headBytes / 4 + outputs.length;
  const bodyAt = align8(4 * (descriptionsAt + descriptionWords(inputs)));
  let bytes = bodyAt;
  const sizes = inputs.map(elementsBytes);
  for (const size of sizes) bytes += align8(size);
  const frame = Buffer.allocUnsafe(bytes);
  const words = frameWords(frame);
  words[head.bytes] = bytes;
  words[head.kind] = frameKind.run;
  words[head.a] = outputs.length;
  words[head.b] = 0;
  for (let i = 0; i < outputs.length; i += 1) words[headBytes / 4 + i] = outputIndexes[outputs[i] ?? 0] ?? 0;
  writeDescriptions(words, descriptionsAt, inputs, sizes);
  let at = bodyAt;
  for (let i = 0; i < inputs.length; i += 1) {
    const input = inputs[i];
    if (input === undefined) continue;
    writeElements(frame, at, input);
    at += align8(sizes[i] ?? 0);
  }
  return frame;
}

export interface RunResult {
  readonly outputs: Tensor[];
  readonly runMs: number;
  readonly rssBytes: number;
}

/** Reads a result frame; the tensors are views into it. */
export function readResult(frame: Buffer, outputs: readonly number[], signature: Signature): RunResult {
  const words = frameWords(frame);
  const entries = readDescriptions(words, headBytes / 4, outputs.length);
  const tensors = entries.map((entry, i) => {
    const datatype = signature.outputs[outputs[i] ?? 0]?.datatype ?? 'FP32';
    return readElements(frame, datatype, entry);
  });
  return { outputs: tensors, ...readRunHead(frame) };
}

/** How long a run took and how much memory the runner holds, of a result or a refusal. */
export function readRunHead(frame: Buffer): { runMs: number; rssBytes: number } {
  const words = frameWords(frame);
  return { runMs: (words[head.a] ?? 0) / 1000, rssBytes: (words[head.b] ?? 0) * 1024 };
}
