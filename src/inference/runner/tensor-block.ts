import { type DataType, type FixedSizeDataType, typedArrays } from '../../tensor/data-type.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import type { JoinedTensor } from '../batcher/executor.ts';
import { align8 } from './frame.ts';

/**
 * Tensors inside a frame: the words `rank, dimensions…, bytes` of each tensor, one after the other, and then the
 * elements of each, aligned to 8 bytes. Data types are not written: both sides know the signature. Texts are their
 * UTF-8 lengths as words, then their bytes.
 */

/** Bytes of the elements of a joined tensor, texts in UTF-8 with their lengths. */
export function elementsBytes(tensor: JoinedTensor): number {
  if (tensor.datatype === 'BYTES') return textsBytes(tensor);
  return elementCount(tensor.shape) * typedArrays[tensor.datatype].BYTES_PER_ELEMENT;
}

function textsBytes(tensor: JoinedTensor): number {
  let bytes = 0;
  for (const part of tensor.parts) {
    if (part.datatype !== 'BYTES') continue;
    for (const text of part.data) bytes += 4 + Buffer.byteLength(text);
  }
  return bytes;
}

/** Writes the descriptions from word `at` on; gives the word after them. */
export function writeDescriptions(
  words: Uint32Array,
  at: number,
  tensors: readonly { readonly shape: readonly number[] }[],
  sizes: readonly number[],
): number {
  for (let i = 0; i < tensors.length; i += 1) {
    const shape = tensors[i]?.shape ?? [];
    words[at++] = shape.length;
    for (const dimension of shape) words[at++] = dimension;
    words[at++] = sizes[i] ?? 0;
  }
  return at;
}

/** Words that the descriptions take. */
export function descriptionWords(tensors: readonly { readonly shape: readonly number[] }[]): number {
  let words = 0;
  for (const { shape } of tensors) words += 2 + shape.length;
  return words;
}

/** Writes the elements of every part, one behind the other, from byte `at` of the buffer on. */
export function writeElements(target: Buffer, at: number, tensor: JoinedTensor): void {
  if (tensor.datatype === 'BYTES') {
    writeTexts(target, at, tensor);
    return;
  }
  const array = typedArrays[tensor.datatype];
  const elements = new array(target.buffer as ArrayBuffer, target.byteOffset + at, elementCount(tensor.shape));
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

/** Reads `count` descriptions from word `at` on; the elements follow them. */
export function readDescriptions(words: Uint32Array, at: number, count: number): BlockEntry[] {
  const shapes: number[][] = [];
  const sizes: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const rank = words[at++] ?? 0;
    const shape = new Array<number>(rank);
    for (let axis = 0; axis < rank; axis += 1) shape[axis] = words[at++] ?? 0;
    shapes.push(shape);
    sizes.push(words[at++] ?? 0);
  }
  let offset = align8(at * 4);
  return shapes.map((shape, i) => {
    const bytes = sizes[i] ?? 0;
    const entry = { shape, at: offset, bytes };
    offset += align8(bytes);
    return entry;
  });
}

/** A view of the elements; texts are decoded. */
export function readElements(frame: Buffer, datatype: DataType, entry: BlockEntry): Tensor {
  const { shape } = entry;
  if (datatype === 'BYTES') return { datatype, shape, data: readTexts(frame, entry) };
  return fixedSizeTensor(datatype, shape, frame, entry);
}

function fixedSizeTensor(datatype: FixedSizeDataType, shape: number[], frame: Buffer, entry: BlockEntry): Tensor {
  const array = typedArrays[datatype];
  const data = new array(
    frame.buffer as ArrayBuffer,
    frame.byteOffset + entry.at,
    entry.bytes / array.BYTES_PER_ELEMENT,
  );
  return { datatype, shape, data } as Tensor;
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
