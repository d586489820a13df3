import { RuleError } from '../inference/graph/rules.ts';
import { shapeText } from '../tensor/check-signature.ts';
import type { Tensor, TensorSpec } from '../tensor/tensor.ts';

/** What a rule sees of one row: a boolean, an integer, a float or a text, or a list of them. */
export type RowValue = Element | Element[];
type Element = boolean | bigint | number | string;

const greatestInt = 2n ** 63n - 1n;

/**
 * The CEL type of one row of a tensor: a scalar of `[n]` and `[n,1]`, a list of `[n,k]`.
 *
 * @throws RuleError for any other rank
 */
export function typeOfRow(what: string, { datatype, shape }: TensorSpec): string {
  if (shape.length === 0 || shape.length > 2) {
    const found = shape.length === 0 ? 'has an unknown rank' : `is ${datatype} ${shapeText(shape)}`;
    throw new RuleError(`${what} ${found}; a rule reads tensors of [n], [n,1] and [n,k]`);
  }
  const element = elementType(datatype);
  return isList(shape) ? `list<${element}>` : element;
}

function isList(shape: readonly number[]): boolean {
  return shape.length === 2 && shape[1] !== 1;
}

function elementType(datatype: TensorSpec['datatype']): string {
  switch (datatype) {
    case 'BOOL':
      return 'bool';
    case 'BYTES':
      return 'string';
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return 'double';
    default:
      return 'int';
  }
}

/**
 * One row of a tensor.
 *
 * @throws RangeError when the tensor is not as the rule was checked for, has no such row, or a UINT64 is above 2^63 - 1
 */
export function valueOfRow(tensor: Tensor, row: number, spec: TensorSpec): RowValue {
  const { datatype, shape } = tensor;
  const rows = shape[0] ?? 0;
  const elements = shape.length === 2 ? (shape[1] ?? 0) : 1;
  const isAsChecked = datatype === spec.datatype && shape.length === spec.shape.length;
  if (!isAsChecked || (elements !== 1 && !isList(spec.shape))) {
    throw new RangeError(
      `the rule was checked for ${spec.datatype} ${shapeText(spec.shape)}, not ${datatype} ${shapeText(shape)}`,
    );
  }
  if (row >= rows) throw new RangeError(`there are ${rows} rows, and none of index ${row}`);
  const elementAt = readerOf(tensor);
  if (!isList(spec.shape)) return elementAt(row);
  return Array.from({ length: elements }, (_, column) => elementAt(row * elements + column));
}

function readerOf(tensor: Tensor): (index: number) => Element {
  switch (tensor.datatype) {
    case 'BOOL':
      return (index) => tensor.data[index] !== 0;
    case 'BYTES':
      return (index) => tensor.data[index] ?? '';
    case 'FP32':
    case 'FP64':
      return (index) => tensor.data[index] ?? Number.NaN;
    case 'FP16': {
      const { buffer, byteOffset, length } = tensor.data;
      const values = new Float16Array(buffer, byteOffset, length);
      return (index) => values[index] ?? Number.NaN;
    }
    case 'UINT64':
      return (index) => checkedInt(tensor.data[index] ?? 0n);
    default:
      return (index) => BigInt(tensor.data[index] ?? 0);
  }
}

/** Integers of CEL have 64 bits with a sign. */
function checkedInt(value: bigint): bigint {
  if (value > greatestInt) throw new RangeError(`${value} is above 2^63 - 1, the greatest integer of a rule`);
  return value;
}
