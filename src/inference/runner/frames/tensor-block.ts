import { type DataType, type FixedSizeDataType, typedArrays } from '../../../tensor/data-type.ts';
import { elementCount, type Tensor, tensorOver } from '../../../tensor/tensor.ts';
import type { JoinedTensor } from '../../batcher/executor.ts';
import { align } from './frame.ts';
import type { Piece } from './shared-file.ts';

/**
 * Tensors inside a frame: the words `rank, dimensions…, bytes` of each tensor, one after the other, and then the
 * elements of each, aligned to 16 bytes. Data types are not written: both sides know the signature. Texts are their
 * UTF-8 lengths as words, then their bytes.
 */

/** Where the tensors of a block go, before they are written. */
export interface BlockPlan {
  readonly tensors: readonly JoinedTensor[];
  /** Bytes of the elements of each, texts in UTF-8 with their lengths. */
  readonly sizes: readonly number[];
  /** Words of all descriptions. */
  readonly words: number;
  /** Bytes of all elements, each aligned. */
  readonly bytes: number;
}

export function planBlock(tensors: readonly JoinedTensor[]): BlockPlan {
  const sizes: number[] = [];
  let words = 0;
  let bytes = 0;
  for (const tensor of tensors) {
    const size = elementsBytes(tensor);
    sizes.push(size);
    words += 2 + tensor.shape.length;
    bytes += align(size);
  }
  return { tensors, sizes, words, bytes };
}

function elementsBytes(tensor: JoinedTensor): number {
  if (tensor.datatype !== 'BYTES') return elementCount(tensor.shape) * typedArrays[tensor.datatype].BYTES_PER_ELEMENT;
  let bytes = 0;
  for (const part of tensor.parts) {
    if (part.datatype !== 'BYTES') continue;
    for (const text of part.data) bytes += 4 + Buffer.byteLength(text);
  }
  return bytes;
}

/** Writes the descriptions from word `at` on. */
export function writeDescriptions(words: Uint32Array, at: number, { tensors, sizes }: BlockPlan): void {
  let word = at;
  for (let i = 0; i < tensors.length; i += 1) {
    const shape = tensors[i]?.shape ?? [];
    words[word++] = shape.length;
    for (const dimension of shape) words[word++] = dimension;
    words[word++] = sizes[i] ?? 0;
  }
}

/** Writes the elements from byte `at` of the frame on. */
export function writeElements(frame: Buffer, at: number, { tensors, sizes }: BlockPlan): void {
  let offset = at;
  for (let i = 0; i < tensors.length; i += 1) {
    const tensor = tensors[i];
    if (tensor === undefined) continue;
    if (tensor.datatype === 'BYTES') writeTexts(frame, offset, tensor);
    else writeNumbers(frame, offset, tensor, tensor.datatype);
    offset += align(sizes[i] ?? 0);
  }
}

/** The elements as they lie in memory, and where they go: nothing is copied but texts. */
export function elementPieces({ tensors, sizes }: BlockPlan): Piece[] {
  let at = 0;
  return tensors.map((tensor, i) => {
    const bytes = sizes[i] ?? 0;
    const piece = { at, bytes, buffers: tensor.datatype === 'BYTES' ? [encodeTexts(tensor, bytes)] : views(tensor) };
    at += align(bytes);
    return piece;
  });
}

function views({ parts }: JoinedTensor): NodeJS.ArrayBufferView[] {
  const all: NodeJS.ArrayBufferView[] = [];
  for (const part of parts) if (part.datatype !== 'BYTES') all.push(part.data);
  return all;
}

function encodeTexts(tensor: JoinedTensor, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  writeTexts(buffer, 0, tensor);
  return buffer;
}

/** Rows of all parts, one behind the other. */
function writeNumbers(frame: Buffer, at: number, tensor: JoinedTensor, datatype: FixedSizeDataType): void {
  const array = typedArrays[datatype];
  const elements = new array(frame.buffer as ArrayBuffer, frame.byteOffset + at, elementCount(tensor.shape));
  let offset = 0;
  for (const { data } of tensor.parts) {
    // Parts have the data type of the whole, which the type system cannot see through a union.
    elements.set(data as never, offset);
    offset += data.length;
  }
}

function writeTexts(target: Buffer, at: number, tensor: JoinedTensor): void {
  const lengths = new Uint32Array(target.buffer, target.byteOffset + at, elementCount(tensor.shape));
  let index = 0;
  let offset = at + lengths.byteLength;
  for (const part of tensor.parts) {
    if (part.datatype !== 'BYTES') continue;
    for (const text of part.data) {
      const bytes = target.write(text, offset);
      lengths[index++] = bytes;
      offset += bytes;
    }
  }
}

/** Where the tensors of a block are, and their shapes. */
export interface BlockEntry {
  readonly shape: number[];
  readonly at: number;
  readonly bytes: number;
}

/** Reads `count` descriptions from word `at` on. The elements follow them, unless they lie in a buffer of their own. */
export function readDescriptions(words: Uint32Array, at: number, count: number, apart: boolean): BlockEntry[] {
  const shapes: number[][] = [];
  const sizes: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const rank = words[at++] ?? 0;
    const shape = new Array<number>(rank);
    for (let axis = 0; axis < rank; axis += 1) shape[axis] = words[at++] ?? 0;
    shapes.push(shape);
    sizes.push(words[at++] ?? 0);
  }
  let offset = apart ? 0 : align(at * 4);
  return shapes.map((shape, i) => {
    const bytes = sizes[i] ?? 0;
    const entry = { shape, at: offset, bytes };
    offset += align(bytes);
    return entry;
  });
}

/** A view of the elements; texts are decoded. */
export function readElements(frame: Buffer, datatype: DataType, entry: BlockEntry): Tensor {
  const { shape } = entry;
  if (datatype === 'BYTES') return { datatype, shape, data: readTexts(frame, entry) };
  return tensorOver(datatype, shape, new Uint8Array(frame.buffer, frame.byteOffset + entry.at, entry.bytes));
}

function readTexts(frame: Buffer, { shape, at }: BlockEntry): string[] {
  const lengths = new Uint32Array(frame.buffer, frame.byteOffset + at, elementCount(shape));
  const texts = new Array<string>(lengths.length);
  let offset = at + lengths.byteLength;
  for (let i = 0; i < lengths.length; i += 1) {
    const end = offset + (lengths[i] ?? 0);
    texts[i] = frame.toString('utf8', offset, end);
    offset = end;
  }
  return texts;
}
