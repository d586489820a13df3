import { typedArrays } from '../tensor/data-type.ts';
import { randomNumbers } from '../tensor/random-numbers.ts';
import { elementCount, type Tensor, type TensorSpec, tensorOver, text, zeros } from '../tensor/tensor.ts';

/** What the elements of a made tensor are. */
export type Fill = 'zeros' | 'ones' | 'random';

export interface MakeTensorOptions {
  readonly fill: Fill;
  /** Size of every free dimension. */
  readonly freeSize: number;
  readonly seed: number;
}

/** A tensor that fits the description. Random numbers are small: whole ones from 0 to 9, others from 0 to 1. */
export function makeTensor({ datatype, shape: specShape }: TensorSpec, options: MakeTensorOptions): Tensor {
  const { fill, freeSize, seed } = options;
  const shape = specShape.map((size) => (size < 0 ? freeSize : size));
  if (fill === 'zeros') return zeros(datatype, shape);
  const random = randomNumbers(seed);
  const next = fill === 'ones' ? () => 1 : random;
  const length = elementCount(shape);
  switch (datatype) {
    case 'BYTES':
      return text(
        shape,
        Array.from({ length }, () => (fill === 'ones' ? '1' : `text ${Math.floor(random() * 1000)}`)),
      );
    case 'BOOL':
      return { datatype, shape, data: Uint8Array.from({ length }, () => Math.round(next())) };
    case 'FP16':
      return tensorOver('FP16', shape, new Uint8Array(Float16Array.from({ length }, next).buffer));
    case 'FP32':
      return { datatype, shape, data: Float32Array.from({ length }, next) };
    case 'FP64':
      return { datatype, shape, data: Float64Array.from({ length }, next) };
    case 'INT64':
      return { datatype, shape, data: BigInt64Array.from({ length }, () => BigInt(whole(fill, random))) };
    case 'UINT64':
      return { datatype, shape, data: BigUint64Array.from({ length }, () => BigInt(whole(fill, random))) };
    default: {
      const data = new typedArrays[datatype](length);
      for (let index = 0; index < length; index++) data[index] = whole(fill, random);
      return tensorOver(datatype, shape, new Uint8Array(data.buffer));
    }
  }
}

function whole(fill: Fill, random: () => number): number {
  return fill === 'ones' ? 1 : Math.floor(random() * 10);
}
