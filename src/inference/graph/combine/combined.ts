import { AppError } from '../../../errors.ts';
import { shapeText } from '../../../tensor/check-signature.ts';
import type { Tensor } from '../../../tensor/tensor.ts';

/** A tensor that takes part in a combination. */
export interface Part {
  readonly tensor: Tensor;
  /** Name of the step that gave it. */
  readonly step: string;
  readonly weight: number;
}

/**
 * The first part, whose type and shape all others have.
 *
 * @throws AppError `STEP_MISMATCH` when they have not
 */
export function requireAlike(parts: readonly Part[]): Part {
  const first = requireSomeParts(parts);
  for (const part of parts) {
    if (part.tensor.datatype !== first.tensor.datatype || !sameShape(part.tensor.shape, first.tensor.shape)) {
      throw unlike(first, part);
    }
  }
  return first;
}

export function requireSomeParts(parts: readonly Part[]): Part {
  const [first] = parts;
  if (first === undefined) throw new AppError('INTERNAL', { message: 'a combination of nothing' });
  return first;
}

/** The error for two parts that cannot be combined. */
export function unlike(first: Part, other: Part): AppError {
  const [expected, received] = [partText(first), partText(other)];
  return new AppError('STEP_MISMATCH', {
    message: `${other.step} gives ${received}, ${first.step} gives ${expected}`,
    received,
    expected,
  });
}

/** The error for a data type that a combination does not take. */
export function cannotCombine(combination: string, { tensor, step }: Part): AppError {
  return new AppError('STEP_MISMATCH', {
    message: `${step} gives ${tensor.datatype}, which ${combination} does not take`,
  });
}

function partText({ tensor }: Part): string {
  return `${tensor.datatype} ${shapeText(tensor.shape)}`;
}

function sameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((dimension, axis) => dimension === other[axis]);
}

/** How many parts there are, for each row. */
export function countOf(parts: readonly Part[]): Tensor {
  const rows = requireSomeParts(parts).tensor.shape[0] ?? 1;
  return { datatype: 'INT64', shape: [rows], data: new BigInt64Array(rows).fill(BigInt(parts.length)) };
}
