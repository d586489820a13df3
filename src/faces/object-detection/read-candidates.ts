import type { SlicedWork } from '../../timing/sliced-work.ts';
import { sigmoid, softmax } from '../image-classification/classify.ts';
import { CandidateList, type Candidates } from './candidates.ts';
import type { DetectionLayout } from './layouts.ts';

type Floats = Float32Array | Float64Array;

/** What a detector gives for one picture: the elements of its outputs, with their dimensions but the first. */
export interface DetectorRow {
  readonly boxes: { readonly values: Floats; readonly dimensions: readonly [number, number] };
  readonly logits?: { readonly values: Floats; readonly dimensions: readonly [number, number] } | undefined;
}

/** What a detector takes for objects, of a probability above the threshold. */
export function* readCandidates(layout: DetectionLayout, row: DetectorRow, threshold: number): SlicedWork<Candidates> {
  const found = new CandidateList(threshold);
  yield* readers[layout](row, found);
  return found.done();
}

type Reader = (row: DetectorRow, found: CandidateList) => SlicedWork<void>;

/** So many elements are read in one go. */
const readAtOnce = 2 ** 18;

/** What one candidate costs, in elements that are read. */
const candidateElements = 16;

function isPause(index: number, elementsEach: number): boolean {
  return index > 0 && index % Math.max(1, Math.floor(readAtOnce / Math.max(1, elementsEach))) === 0;
}

const readers: Readonly<Record<DetectionLayout, Reader>> = {
  yolov8: readColumns,
  yolov5: readObjects,
  yolov10: readSuppressed,
  detr: readSoftmax,
  'rt-detr': readSigmoid,
};

/** `[4 + classes, boxes]`. */
function* readColumns({ boxes: { values, dimensions } }: DetectorRow, found: CandidateList): SlicedWork<void> {
  const [rows, count] = dimensions;
  const scores = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const classes = new Int32Array(count);
  // Row by row, as the values lie in memory.
  for (let row = 4; row < rows; row++) {
    if (isPause(row, count)) yield;
    for (let box = 0; box < count; box++) {
      const score = values[row * count + box] ?? 0;
      if (score <= (scores[box] ?? 0)) continue;
      scores[box] = score;
      classes[box] = row - 4;
    }
  }
  for (let box = 0; box < count; box++) {
    if (isPause(box, candidateElements)) yield;
    const score = scores[box] ?? 0;
    if (!found.takes(score)) continue;
    const at = (row: number) => values[row * count + box] ?? 0;
    found.addCentred(score, classes[box] ?? 0, [at(0), at(1), at(2), at(3)]);
  }
}

/** `[boxes, 5 + classes]`. */
function* readObjects({ boxes: { values, dimensions } }: DetectorRow, found: CandidateList): SlicedWork<void> {
  const [count, length] = dimensions;
  for (let box = 0; box < count; box++) {
    if (isPause(box, Math.max(candidateElements, length))) yield;
    const at = (column: number) => values[box * length + column] ?? 0;
    const objectness = at(4);
    if (!found.takes(objectness)) continue;
    const { index, value } = greatest(values, box * length + 5, length - 5);
    const score = Math.fround(value * objectness);
    if (found.takes(score)) found.addCentred(score, index, [at(0), at(1), at(2), at(3)]);
  }
}

/** `[boxes, 6]`. */
function* readSuppressed({ boxes: { values, dimensions } }: DetectorRow, found: CandidateList): SlicedWork<void> {
  const [count, length] = dimensions;
  for (let box = 0; box < count; box++) {
    if (isPause(box, Math.max(candidateElements, length))) yield;
    const at = (column: number) => values[box * length + column] ?? 0;
    if (found.takes(at(4))) found.add(at(4), Math.round(at(5)), [at(0), at(1), at(2), at(3)]);
  }
}

/** Logits `[boxes, classes + 1]`. */
function* readSoftmax({ boxes, logits }: DetectorRow, found: CandidateList): SlicedWork<void> {
  if (logits === undefined) return;
  const [count, length] = logits.dimensions;
  for (let box = 0; box < count; box++) {
    if (isPause(box, 16 * length)) yield;
    const probabilities = softmax(Float64Array.from(logits.values.subarray(box * length, (box + 1) * length)));
    const { index, value } = greatest(probabilities, 0, length - 1);
    if (found.takes(value)) found.addCentred(value, index, boxAt(boxes.values, box));
  }
}

/** Logits `[boxes, classes]`. As many pairs of box and class are kept as there are boxes, the best ones. */
function* readSigmoid({ boxes, logits }: DetectorRow, found: CandidateList): SlicedWork<void> {
  if (logits === undefined) return;
  const [count, length] = logits.dimensions;
  const pairs: { pair: number; logit: number; score: number }[] = [];
  for (let pair = 0; pair < count * length; pair++) {
    if (isPause(pair, candidateElements)) yield;
    const logit = logits.values[pair] ?? 0;
    const score = sigmoid(logit);
    if (found.takes(score)) pairs.push({ pair, logit, score });
  }
  pairs.sort((left, right) => right.logit - left.logit);
  for (const { pair, score } of pairs.slice(0, count)) {
    found.addCentred(score, pair % length, boxAt(boxes.values, Math.floor(pair / length)));
  }
}

function boxAt(values: Floats, box: number): [number, number, number, number] {
  const at = (side: number) => values[box * 4 + side] ?? 0;
  return [at(0), at(1), at(2), at(3)];
}

/** The first of the greatest values. */
function greatest(values: Floats, from: number, count: number): { index: number; value: number } {
  let index = 0;
  let value = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    const other = values[from + at] ?? 0;
    if (other <= value) continue;
    index = at;
    value = other;
  }
  return { index, value };
}
