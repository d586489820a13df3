import fc from 'fast-check';
import { type DataType, elementBytes, type FixedSizeDataType, typedArrays } from '../../src/tensor/data-type.ts';
import { elementCount, type Tensor, tensorOver, text } from '../../src/tensor/tensor.ts';

export const dataTypes = [...Object.keys(typedArrays), 'BYTES'] as DataType[];

/** Elements that codecs get wrong, as bytes. */
const extremes: Record<FixedSizeDataType, ArrayBufferView> = {
  BOOL: Uint8Array.of(0, 1),
  UINT8: Uint8Array.of(0, 127, 128, 255),
  UINT16: Uint16Array.of(0, 2 ** 15, 2 ** 16 - 1),
  UINT32: Uint32Array.of(0, 2 ** 31, 2 ** 32 - 1),
  UINT64: BigUint64Array.of(0n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n),
  INT8: Int8Array.of(-128, -1, 0, 127),
  INT16: Int16Array.of(-(2 ** 15), -1, 2 ** 15 - 1),
  INT32: Int32Array.of(-(2 ** 31), -1, 2 ** 31 - 1),
  INT64: BigInt64Array.of(-(2n ** 63n), -(2n ** 53n) - 1n, -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n),
  // -0, least subnormal, 1/3, greatest, infinities, NaNs with and without a payload
  FP16: Uint16Array.of(0x8000, 1, 0x3555, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0xfe01),
  FP32: new Uint32Array([0x80000000, 1, 0x3eaaaaab, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001]),
  FP64: Float64Array.of(-0, 5e-324, 1 / 3, Number.MAX_VALUE, Infinity, -Infinity, NaN),
};

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

/** Tensors of one data type: scalars, empty ones, extremes, and any bits at all. */
export function arbitraryTensor(datatype: DataType): fc.Arbitrary<Tensor> {
  return shapes.chain((shape) => {
    const length = elementCount(shape);
    const exactly = { minLength: length, maxLength: length };
    if (datatype === 'BYTES') {
      const element = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'));
      return fc.array(element, exactly).map((data) => text(shape, data));
    }
    const size = elementBytes(datatype);
    const anyBits = fc.uint8Array({ minLength: size, maxLength: size });
    const element = datatype === 'BOOL' ? chosen(datatype) : fc.oneof(chosen(datatype), anyBits);
    return fc
      .array(element, exactly)
      .map((elements) => tensorOver(datatype, shape, Uint8Array.from(elements.flatMap((bytes) => [...bytes]))));
  });
}

function chosen(datatype: FixedSizeDataType): fc.Arbitrary<Uint8Array> {
  const { buffer, byteLength } = extremes[datatype];
  const size = elementBytes(datatype);
  const choices = Array.from({ length: byteLength / size }, (_, index) => new Uint8Array(buffer, index * size, size));
  return fc.constantFrom(...choices);
}

/** The elements as bits, so that -0 differs from 0 and NaN equals itself. */
export function bits(tensor: Tensor): unknown {
  if (tensor.datatype === 'BYTES') return tensor;
  const { buffer, byteOffset, byteLength } = tensor.data;
  return { ...tensor, data: [...new Uint8Array(buffer, byteOffset, byteLength)] };
}

/** The bits with one NaN for all: a text cannot carry a payload. */
export function bitsButNaN(tensor: Tensor): unknown {
  if (tensor.datatype === 'FP16') {
    const isNaNBits = (half: number) => (half & 0x7fff) > 0x7c00;
    return bits({ ...tensor, data: tensor.data.map((half) => (isNaNBits(half) ? 0x7e00 : half)) });
  }
  if (tensor.datatype === 'FP32')
    return bits({ ...tensor, data: tensor.data.map((value) => (Number.isNaN(value) ? NaN : value)) });
  if (tensor.datatype === 'FP64')
    return bits({ ...tensor, data: tensor.data.map((value) => (Number.isNaN(value) ? NaN : value)) });
  return bits(tensor);
}
