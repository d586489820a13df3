import { typedArrays } from '../../../tensor/data-type.ts';
import { elementCount, type Tensor, type Tensors } from '../../../tensor/tensor.ts';
import { type Part, requireSomeParts, unlike } from './combined.ts';

/**
 * The parts one after the other along an axis; -1 is the last.
 *
 * @throws AppError `STEP_MISMATCH` when another dimension or the data type differs
 */
export function concat(parts: readonly Part[], axis: number): Tensors {
  const first = requireSomeParts(parts);
  const { datatype } = first.tensor;
  const along = axis < 0 ? first.tensor.shape.length + axis : axis;
  for (const part of parts) if (!joins(first.tensor, part.tensor, along)) throw unlike(first, part);
  const joined = parts.reduce((sum, { tensor }) => sum + (tensor.shape[along] ?? 0), 0);
  const shape = first.tensor.shape.map((dimension, at) => (at === along ? joined : dimension));
  return { value: { datatype, shape, data: join(parts, shape, along) } as Tensor };
}

function joins(one: Tensor, other: Tensor, along: number): boolean {
  if (one.datatype !== other.datatype || one.shape.length !== other.shape.length) return false;
  return along in one.shape && one.shape.every((dimension, at) => at === along || dimension === other.shape[at]);
}

/** Joins the lines of the parts: what follows the axis is one piece of each. */
function join(parts: readonly Part[], shape: readonly number[], along: number): Tensor['data'] {
  const lines = elementCount(shape.slice(0, along));
  const { datatype } = requireSomeParts(parts).tensor;
  const widths = parts.map(({ tensor }) => elementCount(tensor.shape.slice(along)));
  if (datatype === 'BYTES') {
    const texts: string[] = [];
    for (let line = 0; line < lines; line += 1) {
      for (const [index, { tensor }] of parts.entries()) {
        const width = widths[index] ?? 0;
        for (let at = line * width; at < (line + 1) * width; at += 1) texts.push(String(tensor.data[at]));
      }
    }
    return texts;
  }
  const whole = new typedArrays[datatype](elementCount(shape));
  let offset = 0;
  for (let line = 0; line < lines; line += 1) {
    for (const [index, { tensor }] of parts.entries()) {
      const width = widths[index] ?? 0;
      if (tensor.datatype === 'BYTES') continue;
      // All have the data type of the whole, which the type system cannot see through a union.
      whole.set(tensor.data.subarray(line * width, (line + 1) * width) as never, offset);
      offset += width;
    }
  }
  return whole;
}
