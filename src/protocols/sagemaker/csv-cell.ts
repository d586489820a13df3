import { readNumber, readTruth, readWholeNumber } from '../../tabular/cell-value.ts';
import { malformedTensor, quote } from '../../tensor/malformed-tensor.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';

/**
 * The value that a cell of CSV stands for in an input of that type. A missing value is NaN among floats, and a text is
 * itself.
 *
 * @throws AppError `MALFORMED_TENSOR` that names the column
 */
export function readCell(cell: string, { datatype, name }: TensorSpec, column: string): unknown {
  switch (datatype) {
    case 'BYTES':
      return cell;
    case 'BOOL':
      return readTruth(cell) ?? refuse(cell, 'true or false', { name, column });
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return readNumber(cell) ?? refuse(cell, 'a number', { name, column });
    default:
      return readWholeNumber(cell) ?? refuse(cell, 'a whole number', { name, column });
  }
}

interface Place {
  readonly name: string;
  readonly column: string;
}

function refuse(cell: string, expected: string, { name, column }: Place): never {
  const message = `the cell ${quote(cell)} of ${column} is not ${expected}`;
  throw malformedTensor(name, { path: [column], type: 'invalid_type', message, received: cell, expected });
}
