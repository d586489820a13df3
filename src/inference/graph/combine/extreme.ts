import { typedArrays } from '../../../tensor/data-type.ts';
import { floatValues } from '../../../tensor/float-values.ts';
import { elementCount, type Tensor, type Tensors, text } from '../../../tensor/tensor.ts';
import { cannotCombine, type Part, requireAlike } from './combined.ts';
import type { NanRule } from './mean.ts';

/**
 * The greatest or the least of each element, and which step gave it: the earliest part of equal ones. -0 is less than
 * +0, 64-bit integers are compared exactly. What is not a number is the result, or is left out.
 *
 * @throws AppError `STEP_MISMATCH` for parts of unlike shapes, and for all but numbers
 */
export function extreme(combination: 'max' | 'min', parts: readonly Part[], nan: NanRule): Tensors {
  const first = requireAlike(parts);
  const { datatype, shape } = first.tensor;
  if (datatype === 'BYTES' || datatype === 'BOOL') throw cannotCombine(combination, first);
  const values = parts.map(({ tensor }) => (tensor.datatype === 'BYTES' ? [] : (floatValues(tensor) ?? tensor.data)));
  const count = elementCount(shape);
  const found = new typedArrays[datatype](count);
  const from = new Array<string>(count);
  const isBetter = combination === 'max' ? isGreater : (one: Value, other: Value) => isGreater(other, one);
  for (let index = 0; index < count; index += 1) {
    const best = bestOf(values, index, { isBetter, nan });
    // The element itself, as FP16 is kept as bits; all parts have the data type of the first.
    found[index] = parts[best]?.tensor.data[index] as never;
    from[index] = parts[best]?.step ?? '';
  }
  return { value: { datatype, shape, data: found } as Tensor, from: text(shape, from) };
}

type Value = number | bigint;

interface Comparison {
  readonly isBetter: (one: Value, other: Value) => boolean;
  readonly nan: NanRule;
}

function bestOf(values: readonly ArrayLike<Value>[], index: number, { isBetter, nan }: Comparison): number {
  let best = -1;
  let bestValue: Value = 0;
  for (let part = 0; part < values.length; part += 1) {
    const value = values[part]?.[index] ?? 0;
    if (Number.isNaN(value)) {
      if (nan === 'propagate') return part;
      continue;
    }
    if (best !== -1 && !isBetter(value, bestValue)) continue;
    best = part;
    bestValue = value;
  }
  return best === -1 ? 0 : best;
}

function isGreater(one: Value, other: Value): boolean {
  return one > other || (Object.is(other, -0) && Object.is(one, 0));
}
