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
      boxes: Float32Array.from(this.#boxes),
      scores: Float64Array.from(this.#scores),
      classes: Int32Array.from(this.#classes),
    };
  }
}

/** The order of the candidates by their scores, greatest first, equal ones as they come. */
export function byScore({ scores }: Candidates): Int32Array {
  return Int32Array.from(scores.keys()).sort((left, right) => (scores[right] ?? 0) - (scores[left] ?? 0));
}
