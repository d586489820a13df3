import { type DataType, elementBytes, type FixedSizeDataType, type TensorData } from './data-type.ts';

/** A row-major tensor. The number of elements of `data` equals the product of `shape`; an empty shape is a scalar. */
export type Tensor = {
  [D in DataType]: { readonly datatype: D; readonly shape: readonly number[]; readonly data: TensorData[D] };
}[DataType];

/** Tensors by name. Built from client input it has no prototype, so that no name can collide with one. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Name, data type and shape of an input or output; `-1` stands for a free dimension. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: DataType;
  readonly shape: readonly number[];
  /** The shape with the names that the model has for free dimensions; absent where it names none. */
  readonly dimensions?: readonly (number | string)[];
}

/** What a model takes and gives. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Outputs that the model has and that cannot be served. @default none */
  readonly unservable?: readonly UnservableOutput[];
}

/** An output that is no tensor, or one of elements that have no form here. */
export interface UnservableOutput {
  readonly output: string;
  /** As ONNX writes it: `seq(map(int64,tensor(float)))`. */
  readonly type: string;
  readonly why: string;
  /** What to do about it where the model is exported. */
  readonly remedy: string;
}

/** What is wrong with an output, and the remedy, in a sentence. */
export function unservableText({ output, type, why, remedy }: UnservableOutput): string {
  return `${JSON.stringify(output)} is ${type}: ${why}. Remedy: ${remedy}`;
}

export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) count *= dimension;
  return count;
}

/** Bytes that the tensor takes in memory; for text, its UTF-16 size. */
export function tensorBytes(tensor: Tensor): number {
  if (tensor.datatype !== 'BYTES') return tensor.data.byteLength;
  let bytes = 0;
  for (const text of tensor.data) bytes += 2 * text.length;
  return bytes;
}

/** An FP32 tensor of the given values. */
export function float32(shape: readonly number[], values: Iterable<number>): Tensor {
  return { datatype: 'FP32', shape, data: Float32Array.from(values) };
}

/** An INT32 tensor of the given values. */
export function int32(shape: readonly number[], values: Iterable<number>): Tensor {
  return { datatype: 'INT32', shape, data: Int32Array.from(values) };
}

/** An INT64 tensor of the given whole numbers. */
export function int64(shape: readonly number[], values: Iterable<number | bigint>): Tensor {
  return { datatype: 'INT64', shape, data: BigInt64Array.from(values, BigInt) };
}

/** A UINT8 tensor over the given bytes; they are not copied. */
export function uint8(shape: readonly number[], data: Uint8Array): Tensor {
  return { datatype: 'UINT8', shape, data };
}

/** A BYTES tensor of the given texts. */
export function text(shape: readonly number[], data: readonly string[]): Tensor {
  return { datatype: 'BYTES', shape, data };
}

/** A tensor of zeros, or of empty texts. */
export function zeros(datatype: DataType, shape: readonly number[]): Tensor {
  const length = elementCount(shape);
  if (datatype === 'BYTES') return text(shape, new Array<string>(length).fill(''));
  return tensorOver(datatype, shape, new Uint8Array(length * elementBytes(datatype)));
}

/**
 * A tensor over bytes in the order of the host; they are not copied.
 *
 * @param bytes as long as the shape says, starting at a multiple of the element size in their buffer
 * @throws RangeError when they start elsewhere or have another length
 */
export function tensorOver(datatype: FixedSizeDataType, shape: readonly number[], bytes: Uint8Array): Tensor {
  const { buffer, byteOffset } = bytes;
  const length = elementCount(shape);
  if (bytes.byteLength !== length * elementBytes(datatype)) {
    throw new RangeError(`${bytes.byteLength} bytes are no ${datatype} tensor of ${length} elements`);
  }
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return { datatype, shape, data: bytes };
    case 'INT8':
      return { datatype, shape, data: new Int8Array(buffer, byteOffset, length) };
    case 'UINT16':
    case 'FP16':
      return { datatype, shape, data: new Uint16Array(buffer, byteOffset, length) };
    case 'INT16':
      return { datatype, shape, data: new Int16Array(buffer, byteOffset, length) };
    case 'UINT32':
      return { datatype, shape, data: new Uint32Array(buffer, byteOffset, length) };
    case 'INT32':
      return { datatype, shape, data: new Int32Array(buffer, byteOffset, length) };
    case 'UINT64':
      return { datatype, shape, data: new BigUint64Array(buffer, byteOffset, length) };
    case 'INT64':
      return { datatype, shape, data: new BigInt64Array(buffer, byteOffset, length) };
    case 'FP32':
      return { datatype, shape, data: new Float32Array(buffer, byteOffset, length) };
    case 'FP64':
      return { datatype, shape, data: new Float64Array(buffer, byteOffset, length) };
  }
}
