import { countFitting } from '../../storage/count-fitting.ts';
import type { CapturedPrediction } from './captured-prediction.ts';

export interface BufferBounds {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Predictions that wait to be written, oldest first, bounded in rows and in bytes. */
export class PredictionBuffer {
  readonly #bounds: BufferBounds;
  #waiting: CapturedPrediction[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(bounds: BufferBounds) {
    this.#bounds = bounds;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a prediction; false when there is no room for it. */
  push(prediction: CapturedPrediction): boolean {
    const { rows, bytes } = prediction;
    if (this.#rows + rows > this.#bounds.maxRows || this.#bytes + bytes > this.#bounds.maxBytes) return false;
    this.#waiting.push(prediction);
    this.#rows += rows;
    this.#bytes += bytes;
    return true;
  }

  /** The oldest predictions, together at most so many rows and bytes, but at least one; they stay where they are. */
  peek(maxRows: number, maxBytes: number): readonly CapturedPrediction[] {
    const end = countFitting(this.#waiting, { rows: maxRows, bytes: maxBytes }, (prediction) => prediction);
    return this.#waiting.slice(0, end);
  }

  /** Takes out the oldest `count` predictions, and gives how many rows they were. */
  remove(count: number): number {
    let rows = 0;
    for (const prediction of this.#waiting.slice(0, count)) {
      rows += prediction.rows;
      this.#bytes -= prediction.bytes;
    }
    this.#waiting = this.#waiting.slice(count);
    this.#rows -= rows;
    return rows;
  }
}
