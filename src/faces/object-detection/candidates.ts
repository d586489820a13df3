import type { SlicedWork } from '../../timing/sliced-work.ts';

/** What a detector takes for objects in one picture, in the order in which it gives them. */
export interface Candidates {
  /** `[x min, y min, x max, y max]` of each, FP32. */
  readonly boxes: Float32Array;
  /** Probability of the class of each. */
  readonly scores: Float64Array;
  readonly classes: Int32Array;
}

/** Collects those that are probable enough. */
export class CandidateList {
  readonly #boxes: number[] = [];
  readonly #scores: number[] = [];
  readonly #classes: number[] = [];
  readonly #threshold: number;

  /** @param threshold probability that a candidate must exceed */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Whether an object of this probability would be taken. */
  takes(score: number): boolean {
    return score > this.#threshold;
  }

  /** One by its edges; a box that has none is passed over. */
  add(score: number, category: number, [left, top, right, bottom]: readonly [number, number, number, number]): void {
    if (Number.isNaN(left + top + right + bottom)) return;
    this.#scores.push(score);
    this.#classes.push(category);
    this.#boxes.push(left, top, right, bottom);
  }

  /** One by its middle and its size. */
  addCentred(score: number, category: number, [x, y, width, height]: readonly [number, number, number, number]): void {
    this.add(score, category, [x - width / 2, y - height / 2, x + width / 2, y + height / 2]);
  }

  done(): Candidates {
    return {
      boxes: new Float32Array(this.#boxes),
      scores: new Float64Array(this.#scores),
      classes: new Int32Array(this.#classes),
    };
  }
}

/** So many are sorted in one go, and so many merged. */
const sortedAtOnce = 8192;

/** The order of the candidates by their scores, greatest first, equal ones as they come. */
export function* byScore({ scores }: Candidates): SlicedWork<Int32Array> {
  let order = Int32Array.from(scores.keys());
  for (let start = 0; start < order.length; start += sortedAtOnce) {
    // A view of the same numbers.
    order
      .subarray(start, start + sortedAtOnce)
      .sort((left, right) => (scores[right] ?? 0) - (scores[left] ?? 0) || left - right);
    yield;
  }
  for (let width = sortedAtOnce; width < order.length; width *= 2) {
    const merged = new Int32Array(order.length);
    for (let start = 0; start < order.length; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, order.length), Math.min(start + 2 * width, order.length)];
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        const isLeft =
          right >= end || (left < middle && (scores[order[left] ?? 0] ?? 0) >= (scores[order[right] ?? 0] ?? 0));
        merged[at] = (isLeft ? order[left++] : order[right++]) ?? 0;
        if (at % sortedAtOnce === 0) yield;
      }
    }
    order = merged;
  }
  return order;
}
