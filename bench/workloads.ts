import type { WorkloadName } from './options.ts';

export interface Workload {
  readonly name: WorkloadName;
  readonly inputName: string;
  /** Of one row, without the batch dimension. */
  readonly rowShape: readonly number[];
  /** Different rows, so that no reply can come from a cache. */
  readonly rows: readonly Float32Array[];
  /** What a reply of inferd looks like; the bare contestants answer the same where inferd does not take part. */
  readonly exampleReply: unknown;
  /** Time limit of a request in the overload scenario. */
  readonly deadlineMs: number;
}

const tenProbabilities = [[...Array(10).keys()].map((index) => index / 45 + 0.0123456789)];

const workloads: readonly Workload[] = [
  {
    name: 'tiny',
    inputName: 'features',
    rowShape: [4],
    rows: makeRows(16, 4, (value) => round(0.1 + 7 * value, 1)),
    exampleReply: {
      species: 'versicolor',
      probabilities: { setosa: 0.0012345678, versicolor: 0.987654321, virginica: 0.0111111112 },
    },
    deadlineMs: 200,
  },
  {
    name: 'mid',
    inputName: 'x',
    rowShape: [784],
    rows: makeRows(16, 784, (value) => round(value, 4)),
    exampleReply: { probabilities: tenProbabilities },
    deadlineMs: 250,
  },
  {
    name: 'heavy',
    inputName: 'image',
    rowShape: [3, 32, 32],
    rows: makeRows(16, 3 * 32 * 32, (value) => round(value, 4)),
    exampleReply: { probabilities: tenProbabilities },
    deadlineMs: 500,
  },
  {
    name: 'binary',
    inputName: 'image',
    rowShape: [3, 224, 224],
    rows: makeRows(4, 3 * 224 * 224, (value) => value),
    exampleReply: { probabilities: tenProbabilities },
    deadlineMs: 500,
  },
];

export function workload(name: WorkloadName): Workload {
  const found = workloads.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`No workload ${name}`);
  return found;
}

/** The row as nested arrays with a batch dimension of one. */
export function nestedRow({ rowShape }: Workload, row: Float32Array): unknown {
  // Back to decimals of the shortest form: 0.1 as float32 would be written as 0.10000000149011612.
  const values: unknown[] = [...row].map((value) => Number(value.toPrecision(6)));
  return [rowShape.toReversed().slice(0, -1).reduce(chunk, values)];
}

/** A row of tiny as the typed route takes it. */
export function irisFlower(row: Float32Array): unknown {
  const [sepal_length, sepal_width, petal_length, petal_width] = [...row].map((value) => Number(value.toPrecision(6)));
  return { sepal_length, sepal_width, petal_length, petal_width };
}

function chunk(values: unknown[], size: number): unknown[] {
  return Array.from({ length: values.length / size }, (_, index) => values.slice(index * size, (index + 1) * size));
}

function makeRows(count: number, size: number, scale: (value: number) => number): Float32Array[] {
  const random = mulberry32(count * size);
  return Array.from({ length: count }, () => Float32Array.from({ length: size }, () => scale(random())));
}

function round(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** Tommy Ettinger's mulberry32: the same numbers from 0 to 1 in every run. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
