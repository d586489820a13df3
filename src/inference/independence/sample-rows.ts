import { randomNumbers } from '../../tensor/random-numbers.ts';
import { commonRows, sliceRows } from '../../tensor/rows.ts';
import { elementCount, type Signature, type Tensor, type Tensors } from '../../tensor/tensor.ts';
import { filledTensor, oddRanges, type SampleOptions, sampleLike, sampleTensor, valueRanges } from './sample-values.ts';

/** The inputs of one row, in the order of the signature. */
export type Row = readonly Tensor[];

/** A way to make rows: they differ by their seed, and have the same shape. */
export interface RowSource {
  row(seed: number): Row;
  /** Rows of the same shape with values of every range, and of values that no model expects. */
  oddNeighbours(): Iterable<Row>;
}

/**
 * Sizes that models usually take where a dimension is free, in the order in which they are tried. Those of pictures
 * begin with small ones, which cost least.
 */
const usualSizes = [8, 16, 2, 1, 32, 64, 128, 224, 256, 320, 416, 512, 576, 640];
const pictureSizes = [32, 64, 128, 224, 256, 320, 416, 512, 576, 640, 16, 8, 2, 1];
/** An input of more elements is not made up. */
const maxElements = 4_000_000;

/** Sources of rows that are made up from the signature: every usual size with every range of values. */
export function* madeUpSources(signature: Signature, vocabulary: readonly string[] = []): Generator<RowSource> {
  for (const shapes of usualShapes(signature)) {
    for (const range of valueRanges) yield new MadeUpSource(signature, shapes, { range, vocabulary });
  }
}

/**
 * Shapes of one row for every input, by the usual sizes of free dimensions; one alone where no other dimension is free. A
 * first dimension that is fixed stays as it is.
 */
export function usualShapes({ inputs }: Signature): readonly (readonly number[])[][] {
  const isFree = inputs.some(({ shape }) => shape.includes(-1, 1));
  const sizes = inputs.some(({ shape }) => shape.length >= 4) ? pictureSizes : usualSizes;
  return (isFree ? sizes : [1])
    .map((size) => inputs.map(({ shape }) => shape.map((dimension, axis) => sized(dimension, axis === 0 ? 1 : size))))
    .filter((shapes) => shapes.every((shape) => elementCount(shape) <= maxElements));
}

function sized(dimension: number, size: number): number {
  return dimension === -1 ? size : dimension;
}

class MadeUpSource implements RowSource {
  readonly #signature: Signature;
  readonly #shapes: readonly (readonly number[])[];
  readonly #options: Omit<SampleOptions, 'random'>;

  constructor(signature: Signature, shapes: readonly (readonly number[])[], options: Omit<SampleOptions, 'random'>) {
    this.#signature = signature;
    this.#shapes = shapes;
    this.#options = options;
  }

  row(seed: number): Row {
    const random = randomNumbers(seed);
    const values = { ...this.#options, random };
    return this.#signature.inputs.map((input, index) => sampleTensor(input, this.#shapes[index] ?? [], values));
  }

  oddNeighbours(): Iterable<Row> {
    return neighboursOf(this.#signature, this.#shapes, this.#options.vocabulary);
  }
}

function* neighboursOf(
  { inputs }: Signature,
  shapes: readonly (readonly number[])[],
  vocabulary: readonly string[] = [],
): Generator<Row> {
  for (const value of [Number.NaN, -1, 0]) {
    yield inputs.map(({ datatype }, index) => filledTensor(datatype, shapes[index] ?? [], value));
  }
  for (const [seed, range] of [...oddRanges, ...valueRanges].entries()) {
    const options = { range, random: randomNumbers(seed), vocabulary };
    yield inputs.map((input, index) => sampleTensor(input, shapes[index] ?? [], options));
  }
}

/**
 * Sources of rows that are like the warm-up requests of the operator: varied, and as they were given. Empty where the
 * inputs of a request do not have the same number of rows.
 */
export function givenSources(signature: Signature, given: readonly Tensors[]): RowSource[] {
  const rows = given.flatMap((tensors) => rowsOf(signature, tensors));
  const [first] = rows;
  if (first === undefined) return [];
  const alike = rows.filter((row) => shapesOf(row) === shapesOf(first));
  const at = (seed: number) => alike[seed % alike.length] ?? first;
  const varied = (seed: number) => {
    const random = randomNumbers(seed);
    return at(seed).map((tensor) => sampleLike(tensor, random));
  };
  const shapes = first.map(({ shape }) => shape);
  const oddNeighbours = () => neighboursOf(signature, shapes);
  return [
    { row: varied, oddNeighbours },
    { row: at, oddNeighbours },
  ];
}

function rowsOf({ inputs }: Signature, tensors: Tensors): Row[] {
  const ordered = inputs.map(({ name }) => tensors[name]).filter((tensor) => tensor !== undefined);
  const count = ordered.length === inputs.length ? commonRows(ordered) : 0;
  return Array.from({ length: count }, (_, at) => ordered.map((tensor) => sliceRows(tensor, at, at + 1)));
}

function shapesOf(row: Row): string {
  return row.map(({ shape }) => shape.join()).join(';');
}
