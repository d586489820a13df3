import { AppError } from '../../errors.ts';
import { bestIndexes } from '../../tensor/classification.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { asProbability, type ScoreSource } from '../probability.ts';
import type { Classification } from './classification.ts';

export const classFunctions = ['softmax', 'sigmoid', 'none'] as const;
/** How numbers of a model become probabilities: `none` where they are that already. */
export type ClassFunction = (typeof classFunctions)[number];

export interface ClassifyOptions {
  readonly function: ClassFunction;
  /** Most classes of a result. @default all */
  readonly topK?: number | undefined;
  /** Names of the classes by index; one without a name is called by its index. */
  readonly labels: readonly string[];
  /** What errors call the numbers that are no probabilities and are taken as such. */
  readonly source: ScoreSource;
}

/**
 * What each row of an output says, of `[rows, classes]`, dimensions of 1 aside. Probabilities are computed in FP64; classes
 * are ordered by what the model gives, so that equal probabilities of unequal logits keep their order, and equal ones go by
 * index.
 *
 * @throws AppError `SIGNATURE_MISMATCH` for an output that is not of floats; `INTERNAL` for numbers that are taken as
 *   probabilities and are none
 */
export function classify(output: Tensor, { function: name, topK, labels, source }: ClassifyOptions): Classification[] {
  const values = floatValues(output);
  if (values === undefined) {
    throw new AppError('SIGNATURE_MISMATCH', {
      message: `The output with the classes is ${output.datatype}, expected floats`,
      received: output.datatype,
      expected: 'FP32, FP64 or FP16',
    });
  }
  const rows = output.shape[0] ?? 1;
  const classes = values.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const logits = Float64Array.from(values.subarray(row * classes, (row + 1) * classes));
    const computed = classProbabilities(logits, name);
    const probabilities = name === 'none' ? computed.map((value) => asProbability(value, source)) : computed;
    const best = bestIndexes(logits, topK ?? classes).map((index) => {
      const probability = probabilities[index] ?? Number.NaN;
      return {
        label: labels[index] ?? String(index),
        index,
        probability: Number.isFinite(probability) ? probability : null,
      };
    });
    const [first] = best;
    return { label: first?.label ?? '', probability: first?.probability ?? null, classes: best };
  });
}

/** What the scores of the classes of one row come to. */
export function classProbabilities(logits: Float64Array, name: ClassFunction): Float64Array {
  switch (name) {
    case 'softmax':
      return softmax(logits);
    case 'sigmoid':
      return logits.map(sigmoid);
    case 'none':
      return logits;
  }
}

/** `exp(x) / Σ exp(x)`, from the greatest value on down, so that nothing overflows. */
export function softmax(logits: Float64Array): Float64Array {
  let greatest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > greatest) greatest = logit;
  const powers = logits.map((logit) => Math.exp(logit - greatest));
  let sum = 0;
  for (const power of powers) sum += power;
  return powers.map((power) => power / sum);
}

/** `1 / (1 + exp(-x))`. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
