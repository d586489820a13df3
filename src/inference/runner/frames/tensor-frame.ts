import type { DataType } from '../../../tensor/data-type.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { JoinedTensor } from '../../batcher/executor.ts';
import { align, frameWords, head, headBytes } from './frame.ts';
import { type Piece, sharedFromBytes } from './shared-file.ts';
import {
  elementPieces,
  planBlock,
  readDescriptions,
  readElements,
  writeDescriptions,
  writeElements,
} from './tensor-block.ts';

const bodyWord = headBytes / 4;

/** What a frame of tensors holds. */
export interface TensorFrame {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  /** Words before the descriptions of the tensors. */
  readonly words: readonly number[];
  readonly tensors: readonly JoinedTensor[];
}

/** Where the bytes of a frame go. */
export interface FrameTarget {
  readonly allocate: (bytes: number) => Buffer;
  /** Puts elements of many bytes into the shared file; false if it cannot. */
  readonly share: (pieces: readonly Piece[]) => boolean;
}

/** Writes a frame. The rows of all requests are written once, straight to where the other side reads them. */
export function writeTensorFrame(content: TensorFrame, { allocate, share }: FrameTarget): Buffer {
  const { words } = content;
  const plan = planBlock(content.tensors);
  const shared = plan.bytes >= sharedFromBytes && share(elementPieces(plan));
  const elementsAt = align(4 * (bodyWord + words.length + plan.words));
  const bytes = shared ? elementsAt : elementsAt + plan.bytes;
  if (bytes > 0xffff_ffff) throw new RangeError(`a frame of ${bytes} bytes is too large`);
  const frame = allocate(bytes);
  const target = frameWords(frame);
  target[head.bytes] = bytes;
  target[head.kind] = content.kind;
  target[head.a] = content.a;
  target[head.b] = content.b;
  target[head.sharedBytes] = shared ? plan.bytes : 0;
  for (let i = 0; i < words.length; i += 1) target[bodyWord + i] = words[i] ?? 0;
  writeDescriptions(target, bodyWord + words.length, plan);
  if (!shared) writeElements(frame, elementsAt, plan);
  return frame;
}

/**
 * Reads the tensors of a frame, which come after `skippedWords`. `fetch` gives the elements that are in the shared
 * file. Tensors are views into the frame or into what was fetched.
 */
export function readTensorFrame(
  frame: Buffer,
  { skippedWords, datatypes }: { skippedWords: number; datatypes: readonly DataType[] },
  fetch: (bytes: number) => Buffer,
): Tensor[] {
  const words = frameWords(frame);
  const sharedBytes = words[head.sharedBytes] ?? 0;
  const entries = readDescriptions(words, bodyWord + skippedWords, datatypes.length, sharedBytes > 0);
  const source = sharedBytes > 0 ? fetch(sharedBytes) : frame;
  return datatypes.map((datatype, i) => readElements(source, datatype, entries[i] ?? { shape: [], at: 0, bytes: 0 }));
}
