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
    let rows = 0;
    let bytes = 0;
    const end = this.#waiting.findIndex((prediction, index) => {
      rows += prediction.rows;
      bytes += prediction.bytes;
      return index > 0 && (rows > maxRows || bytes > maxBytes);
    });
    return this.#waiting.slice(0, end === -1 ? undefined : end);
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
