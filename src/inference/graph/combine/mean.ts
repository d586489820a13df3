import { floatValues } from '../../../tensor/float-values.ts';
import { elementCount, type Tensor } from '../../../tensor/tensor.ts';
import { cannotCombine, type Part, requireAlike } from './combined.ts';

export type NanRule = 'propagate' | 'skip';

/**
 * Σ w·x ÷ Σ w for each element, in double precision in the order of the parts, rounded once. With `skip`, what is not a
 * number is left out of both sums.
 *
 * @throws AppError `STEP_MISMATCH` for parts of unlike shapes, and for all but floats
 */
export function mean(parts: readonly Part[], nan: NanRule): Tensor {
  const first = requireAlike(parts);
  const terms = parts.map((part) => {
    const values = floatValues(part.tensor);
    if (values === undefined) throw cannotCombine('mean', part);
    return { values, weight: part.weight };
  });
  const means = new Float64Array(elementCount(first.tensor.shape));
  for (let index = 0; index < means.length; index += 1) means[index] = meanOf(terms, index, nan);
  return rounded(means, first.tensor);
}

interface Term {
  readonly values: Float32Array | Float64Array;
  readonly weight: number;
}

function meanOf(terms: readonly Term[], index: number, nan: NanRule): number {
  // Not 0, so that a mean of -0 is -0.
  let sum = -0;
  let weights = 0;
  for (const { values, weight } of terms) {
    const value = values[index] ?? Number.NaN;
    if (nan === 'skip' && Number.isNaN(value)) continue;
    sum += weight * value;
    weights += weight;
  }
  return weights === 0 ? Number.NaN : sum / weights;
}

function rounded(means: Float64Array, { datatype, shape }: Tensor): Tensor {
  if (datatype === 'FP64') return { datatype, shape, data: means };
  if (datatype === 'FP16') return { datatype, shape, data: new Uint16Array(Float16Array.from(means).buffer) };
  return { datatype: 'FP32', shape, data: Float32Array.from(means) };
}

/** The index of the greatest element along the last axis: the lowest of equal ones; what is not a number comes last. */
export function indexOfGreatest(tensor: Tensor): Tensor {
  const values = floatValues(tensor) ?? new Float64Array();
  const shape = tensor.shape.slice(0, -1);
  const width = tensor.shape.at(-1) ?? 1;
  const indexes = new BigInt64Array(elementCount(shape));
  for (let line = 0; line < indexes.length; line += 1) {
    let greatest = Number.NaN;
    for (let column = 0; column < width; column += 1) {
      const value = values[line * width + column] ?? Number.NaN;
      if (Number.isNaN(value) || value <= greatest) continue;
      greatest = value;
      indexes[line] = BigInt(column);
    }
  }
  return { datatype: 'INT64', shape, data: indexes };
}
