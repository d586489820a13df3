import { typedArrays } from '../../../tensor/data-type.ts';
import { elementCount, type Tensor, type Tensors } from '../../../tensor/tensor.ts';
import { cannotCombine, type Part, requireAlike } from './combined.ts';

/** Weights that differ by less, relative to the greater one, are a tie. */
const tie = 1e-9;

/**
 * For each element the value that most of the weight is for; of a tie that which stands first in `of`. `share` is the
 * weight of the winner by the weight of all parts.
 *
 * @throws AppError `STEP_MISMATCH` for parts of unlike shapes, and for floats
 */
export function vote(parts: readonly Part[]): Tensors {
  const first = requireAlike(parts);
  const { datatype, shape } = first.tensor;
  if (datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64') throw cannotCombine('vote', first);
  const count = elementCount(shape);
  let all = 0;
  for (const { weight } of parts) all += weight;
  const winners = datatype === 'BYTES' ? new Array<string>(count) : new typedArrays[datatype](count);
  const shares = new Float32Array(count);
  for (let index = 0; index < count; index += 1) {
    const { value, weight } = winner(parts, index);
    // All parts have the data type of the first, which the type system cannot see through a union.
    winners[index] = value as never;
    shares[index] = weight / all;
  }
  return {
    value: { datatype, shape, data: winners } as Tensor,
    share: { datatype: 'FP32', shape, data: shares },
  };
}

type Value = number | bigint | string | undefined;

/** The earliest of the values whose weight is within a tie of the greatest. */
function winner(parts: readonly Part[], index: number): { value: Value; weight: number } {
  const sums = new Map<Value, number>();
  for (const { tensor, weight } of parts) {
    const value = tensor.data[index];
    sums.set(value, (sums.get(value) ?? 0) + weight);
  }
  let most = 0;
  for (const sum of sums.values()) most = Math.max(most, sum);
  for (const [value, weight] of sums) if (most - weight <= tie * most) return { value, weight };
  return { value: parts[0]?.tensor.data[index], weight: most };
}
