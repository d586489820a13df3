import { type DataType, typedArrays } from '../../tensor/data-type.ts';
import { elementCount, type Tensor, type TensorSpec, text } from '../../tensor/tensor.ts';

/** In which range the values of a made-up row lie. */
export interface ValueRange {
  readonly floats: readonly [low: number, high: number];
  /** Whole numbers lie from 0 to this. */
  readonly largestInteger: number;
}

/** How made-up values are chosen. */
export interface SampleOptions {
  readonly range: ValueRange;
  readonly random: () => number;
  /** Words that the model knows. @default usual ones */
  readonly vocabulary?: readonly string[];
}

/**
 * Ranges to try in order: of normalised values, of indices that small tables have, of fractions, of measurements, of
 * pixels.
 */
export const valueRanges: readonly ValueRange[] = [
  { floats: [-1, 1], largestInteger: 7 },
  { floats: [0, 1], largestInteger: 1 },
  { floats: [0, 10], largestInteger: 3 },
  { floats: [0, 255], largestInteger: 255 },
  { floats: [-1000, 1000], largestInteger: 100 },
];

/** Ranges of a neighbour that must not change a row, however odd it is. */
export const oddRanges: readonly ValueRange[] = [
  { floats: [1e4, 1e6], largestInteger: 1e4 },
  { floats: [-1e6, -1e4], largestInteger: 1e6 },
  { floats: [1e30, 2e30], largestInteger: 2 ** 31 - 1 },
];

/** Words of made-up texts where the model tells none that it knows. */
const usualWords = ['the', 'Quick', 'brown', 'fox', 'jumps', 'over', '2', 'lazy', 'dogs', 'naïve', '고양이', 'a'];

/** A tensor of made-up values in the range, in view of what the name of the input says about it. */
export function sampleTensor(
  { name, datatype }: Pick<TensorSpec, 'name' | 'datatype'>,
  shape: readonly number[],
  { range, random, vocabulary = [] }: SampleOptions,
): Tensor {
  const count = elementCount(shape);
  if (datatype === 'BYTES') {
    const texts = Array.from({ length: count }, () => sampleText(vocabulary, random));
    return text(shape, texts);
  }
  return tensorOf(datatype, shape, sampleNumbers({ name, datatype }, count, { range, random }));
}

/** A tensor of one value: NaN counts as 0 where there is none; texts are empty. */
export function filledTensor(datatype: DataType, shape: readonly number[], value: number): Tensor {
  const count = elementCount(shape);
  if (datatype === 'BYTES') return text(shape, new Array<string>(count).fill(''));
  const isFloat = datatype.startsWith('FP');
  return tensorOf(datatype, shape, new Array<number>(count).fill(isFloat || !Number.isNaN(value) ? value : 0));
}

/** A row like the given one: floats in its order of magnitude, whole numbers from 0 to its greatest, texts of its words. */
export function sampleLike(given: Tensor, random: () => number): Tensor {
  const { datatype, shape, data } = given;
  if (datatype === 'BYTES') {
    const known = data.flatMap((one) => one.split(/\s+/)).filter((word) => word !== '');
    const texts = Array.from(data, () => sampleText(known, random));
    return text(shape, texts);
  }
  const elements = datatype === 'FP16' ? new Float16Array(data.buffer, data.byteOffset, data.length) : data;
  const values = Array.from<number | bigint, number>(elements, Number);
  if (datatype.startsWith('FP')) {
    return tensorOf(
      datatype,
      shape,
      values.map((value) => value * (0.5 + random()) + 0.1 * (random() - 0.5)),
    );
  }
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  return tensorOf(
    datatype,
    shape,
    values.map(() => Math.floor(random() * (largest + 1))),
  );
}

function sampleNumbers(
  { name, datatype }: { readonly name: string; readonly datatype: DataType },
  count: number,
  { range, random }: { readonly range: ValueRange; readonly random: () => number },
): number[] {
  // A single element is no sequence: it may be a column of a table.
  const isSequence = count > 1;
  if (isSequence && /mask/i.test(name)) {
    const length = 1 + Math.floor(count * random());
    return Array.from({ length: count }, (_, index) => (index < length ? 1 : 0));
  }
  if (datatype.startsWith('FP')) {
    const [low, high] = range.floats;
    return Array.from({ length: count }, () => low + (high - low) * random());
  }
  if (isSequence && /position/i.test(name)) return Array.from({ length: count }, (_, index) => index);
  const isFlag = datatype === 'BOOL' || /mask|token_type|segment/i.test(name);
  const largest = isFlag ? 1 : range.largestInteger;
  const signedLargest = datatype === 'INT8' ? Math.min(largest, 127) : largest;
  return Array.from({ length: count }, () => Math.floor(random() * (signedLargest + 1)));
}

/** One to eight words; often a single one, since texts of tables are names of categories. */
function sampleText(vocabulary: readonly string[], random: () => number): string {
  const words = vocabulary.length === 0 ? usualWords : vocabulary;
  const count = random() < 0.5 ? 1 : 1 + Math.floor(8 * random());
  return Array.from({ length: count }, () => pick(words, random)).join(' ');
}

function pick(texts: readonly string[], random: () => number): string {
  return texts[Math.floor(random() * texts.length)] ?? '';
}

function tensorOf(datatype: Exclude<DataType, 'BYTES'>, shape: readonly number[], values: readonly number[]): Tensor {
  if (datatype === 'FP16') return { datatype, shape, data: new Uint16Array(Float16Array.from(values).buffer) };
  if (datatype === 'INT64') return { datatype, shape, data: BigInt64Array.from(values, (value) => BigInt(value)) };
  if (datatype === 'UINT64') return { datatype, shape, data: BigUint64Array.from(values, (value) => BigInt(value)) };
  return { datatype, shape, data: typedArrays[datatype].from(values) } as Tensor;
}
