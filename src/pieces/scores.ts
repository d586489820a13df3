import { softmax as softmaxOf } from '../faces/image-classification/classify.ts';
import { bestIndexes } from '../tensor/classification.ts';

/** A value and where it stands. */
export interface Ranked {
  readonly index: number;
  readonly value: number;
}

/**
 * The greatest values, greatest first, equal ones by their place, NaN last.
 *
 * @param k most of them. @default all
 */
export function topK(values: ArrayLike<number>, k: number = values.length): Ranked[] {
  const numbers = Float64Array.from(values);
  return bestIndexes(numbers, Math.max(0, k)).map((index) => ({ index, value: numbers[index] ?? Number.NaN }));
}

/** Probabilities of logits, `exp(x) / Σ exp(x)`, in FP64; of the greatest numbers, too, nothing overflows. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  return softmaxOf(Float64Array.from(logits));
}
