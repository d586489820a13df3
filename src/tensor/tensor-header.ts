import { type DataType, elementBytes, isDataType, typedArrays } from './data-type.ts';
import { malformedTensor, quote, quoteShape } from './malformed-tensor.ts';
import { elementCount } from './tensor.ts';

/** What a client says of a tensor. */
export interface TensorHeader {
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface TensorLimits {
  /**
   * Largest tensor, by its elements alone; a text counts as 4 bytes, the least that it takes on the wire.
   *
   * @default Infinity
   */
  readonly maxBytes?: number;
}

/** Most dimensions of a tensor. */
export const maxRank = 16;

/** Most texts of one tensor: each is an object of its own, so that 64 MB of empty ones would take a second and a gigabyte. */
export const maxTexts = 500_000;

/** Largest single dimension, so that no loop over rows runs for hours because another dimension is zero. */
export const maxDimension = 2 ** 31 - 1;

/**
 * Checks what a client says of a tensor, before any memory is taken for it.
 *
 * @throws AppError `MALFORMED_TENSOR` for an unknown data type, a shape that is none, or more elements than allowed
 */
export function checkHeader(
  { datatype, shape }: TensorHeader,
  name: string,
  { maxBytes = Number.POSITIVE_INFINITY }: TensorLimits = {},
): { datatype: DataType; count: number } {
  const known = checkDataType(datatype, name);
  checkShape(shape, name);
  const count = elementCount(shape);
  const bytes = count * (elementBytes(known) ?? 4);
  if (!Number.isSafeInteger(bytes) || bytes > maxBytes) {
    throw malformedTensor(name, {
      path: ['shape'],
      type: 'limit_exceeded',
      message: `the shape ${quoteShape(shape)} of ${known} takes ${bytes} bytes, at most ${maxBytes} are allowed`,
      received: bytes,
      expected: `at most ${maxBytes} bytes`,
    });
  }
  if (known === 'BYTES' && count > maxTexts) {
    throw malformedTensor(name, {
      path: ['shape'],
      type: 'limit_exceeded',
      message: `the shape ${quoteShape(shape)} has ${count} texts, at most ${maxTexts} are allowed`,
      received: count,
      expected: `at most ${maxTexts} texts`,
    });
  }
  return { datatype: known, count };
}

function checkDataType(datatype: string, name: string): DataType {
  if (isDataType(datatype)) return datatype;
  const names = [...Object.keys(typedArrays), 'BYTES'];
  throw malformedTensor(name, {
    path: ['datatype'],
    type: 'unknown_datatype',
    message: `the data type ${quote(datatype)} is not supported, only ${names.join(', ')}`,
    received: datatype,
    expected: names,
  });
}

function checkShape(shape: readonly number[], name: string): void {
  if (shape.length > maxRank) {
    throw malformedTensor(name, {
      path: ['shape'],
      type: 'limit_exceeded',
      message: `the shape has ${shape.length} dimensions, at most ${maxRank} are allowed`,
      received: shape.length,
      expected: `at most ${maxRank} dimensions`,
    });
  }
  for (const [axis, dimension] of shape.entries()) {
    if (Number.isInteger(dimension) && dimension >= 0 && dimension <= maxDimension) continue;
    throw malformedTensor(name, {
      path: ['shape', axis],
      type: 'invalid_shape',
      message: `dimension ${axis} of the shape is ${quote(dimension)}, not a whole number from 0 to ${maxDimension}`,
      received: dimension,
      expected: `a whole number from 0 to ${maxDimension}`,
    });
  }
}
