import fc from 'fast-check';
import type { Part } from '../../../../src/inference/graph/combine/combined.ts';
import { type DataType, typedArrays } from '../../../../src/tensor/data-type.ts';
import { randomNumbers } from '../../../../src/tensor/random-numbers.ts';
import { elementCount, type Tensor } from '../../../../src/tensor/tensor.ts';

export type Element = number | bigint | string;

const halves = (...values: number[]) => [...new Uint16Array(Float16Array.from(values).buffer)];

/** Few elements of each type, so that equal ones are common, and those that combinations get wrong. */
const pools: Readonly<Record<DataType, readonly Element[]>> = {
  BOOL: [0, 1],
  UINT8: [0, 1, 255],
  UINT16: [0, 1, 65_535],
  UINT32: [0, 1, 2 ** 32 - 1],
  UINT64: [0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n],
  INT8: [-128, 0, 127],
  INT16: [-32_768, 0, 32_767],
  INT32: [-(2 ** 31), 0, 2 ** 31 - 1],
  INT64: [-(2n ** 63n), -(2n ** 53n) - 1n, -(2n ** 53n), 0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  FP16: [...halves(0, -0, 1, -1, 1 / 3, 65_504, -65_504, 6e-8, -6e-8, Infinity, -Infinity, NaN), 0xfe01],
  FP32: [0, -0, 1, -1, 1 / 3, 3.4e38, -3.4e38, 1e-45, -1e-45, Infinity, -Infinity, NaN],
  FP64: [0, -0, 1, -1, 1 / 3, 0.1, 1.7e308, -1.7e308, 5e-324, -5e-324, Infinity, -Infinity, NaN],
  BYTES: ['', 'a', 'b', 'ä', '🦀'],
};

export interface RandomParts {
  readonly seed: number;
  readonly shape: readonly number[];
  readonly weights: readonly number[];
}

/** Shapes of 0, 1, a few and 1,000 rows; weights that are often equal. */
export const randomParts: fc.Arbitrary<RandomParts> = fc.record({
  seed: fc.integer(),
  shape: fc
    .tuple(fc.constantFrom(0, 1, 1, 2, 5, 1000), fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }))
    .map(([rows, others]) => [rows, ...others]),
  weights: fc.array(fc.constantFrom(1, 1, 2, 0.1, 0.2, 0.3, 1 + 1e-12, 1e-6, 1e6), { minLength: 1, maxLength: 6 }),
});

export function partsOf(datatype: DataType, { seed, shape, weights }: RandomParts): Part[] {
  const random = randomNumbers(seed);
  return weights.map((weight, index) => ({ tensor: randomTensor(datatype, shape, random), step: `s${index}`, weight }));
}

export function randomTensor(datatype: DataType, shape: readonly number[], random: () => number): Tensor {
  const pool = pools[datatype];
  const elements = Array.from({ length: elementCount(shape) }, () => pool[Math.floor(random() * pool.length)] ?? 0);
  return tensorOf(datatype, shape, elements);
}

export function tensorOf(datatype: DataType, shape: readonly number[], elements: readonly Element[]): Tensor {
  if (datatype === 'BYTES') return { datatype, shape, data: elements.map(String) };
  const data = new typedArrays[datatype](elements.length);
  for (const [index, element] of elements.entries()) data[index] = element as never;
  return { datatype, shape, data } as Tensor;
}

/** The elements as numbers, big integers or texts: FP16 is worked out from its bits by hand. */
export function elementsOf(tensor: Tensor): Element[] {
  return tensor.datatype === 'FP16' ? [...tensor.data].map(half) : [...tensor.data];
}

/** A number of half precision, by the definition of its bits. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
