import { AppError } from '../../../../errors.ts';
import { typedArrays } from '../../../../tensor/data-type.ts';
import { rowElements } from '../../../../tensor/rows.ts';
import { elementCount, type Tensor } from '../../../../tensor/tensor.ts';
import type { TensorSource } from '../../graph-plan.ts';
import { sourceText } from '../plan/run-plan.ts';
import { doesNotFit, tensorText } from '../step-error.ts';
import { takeRows } from '../wires/reshape.ts';

/** Reads tensors as the rows of one arm see them. Each is cut once, however often it is read. */
export function readRows(
  read: (source: TensorSource) => Tensor,
  rows: readonly number[],
  ofAll: number,
): (source: TensorSource) => Tensor {
  const taken = new Map<string, Tensor>();
  return (source) => {
    const key = sourceText(source);
    const known = taken.get(key);
    if (known !== undefined) return known;
    const whole = read(source);
    if (whole.shape[0] !== ofAll) {
      throw doesNotFit(['switch'], source, `is ${tensorText(whole)}, its rules are decided for ${ofAll} rows`);
    }
    const cut = takeRows(whole, rows);
    taken.set(key, cut);
    return cut;
  };
}

/** Rows of an output, and where they belong. */
export interface Share {
  readonly arm: string;
  readonly rows: readonly number[];
  readonly tensor: Tensor;
}

/**
 * One tensor of the rows of all arms, in the order of the request.
 *
 * @throws AppError `STEP_MISMATCH` when the arms gave unlike rows, or others than they took
 */
export function putRowsBack(output: string, shares: readonly Share[], ofAll: number): Tensor {
  const [first] = shares;
  if (first === undefined) throw new AppError('INTERNAL', { message: 'no arm took a row' });
  for (const share of shares) if (!belongs(first, share)) throw unlike(output, first, share);
  const { datatype, shape } = first.tensor;
  if (shares.length === 1) return first.tensor;
  const whole = [ofAll, ...shape.slice(1)];
  const width = rowElements(shape);
  const data =
    datatype === 'BYTES' ? new Array<string>(elementCount(whole)) : new typedArrays[datatype](elementCount(whole));
  for (const { rows, tensor } of shares) {
    for (let from = 0; from < rows.length; from += 1) {
      const to = (rows[from] ?? 0) * width;
      for (let at = 0; at < width; at += 1) {
        // All have the data type of the first, which the type system cannot see through a union.
        data[to + at] = tensor.data[from * width + at] as never;
      }
    }
  }
  return { datatype, shape: whole, data } as Tensor;
}

function belongs(first: Share, { rows, tensor }: Share): boolean {
  const { datatype, shape } = tensor;
  if (datatype !== first.tensor.datatype || shape.length !== first.tensor.shape.length) return false;
  return shape.every((dimension, axis) => dimension === (axis === 0 ? rows.length : first.tensor.shape[axis]));
}

function unlike(output: string, first: Share, other: Share): AppError {
  const received = tensorText(other.tensor);
  return new AppError('STEP_MISMATCH', {
    message:
      `${output}: arm ${other.arm} gives ${received} for ${other.rows.length} rows, ` +
      `arm ${first.arm} ${tensorText(first.tensor)} for ${first.rows.length}`,
    received,
    expected: tensorText(first.tensor),
  });
}
