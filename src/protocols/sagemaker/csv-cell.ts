import type { AppError } from '../../errors.ts';
import { malformedTensor, quote } from '../../tensor/malformed-tensor.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';

const wholeNumber = /^[+-]?\d{1,20}$/;
const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/**
 * The value that a cell of CSV stands for in an input of that type. An empty cell is NaN among floats.
 *
 * @throws AppError `MALFORMED_TENSOR` that names the column
 */
export function readCell(cell: string, { datatype, name }: TensorSpec, column: string): unknown {
  const trimmed = cell.trim();
  switch (datatype) {
    case 'BYTES':
      return cell;
    case 'BOOL':
      return truths.get(trimmed.toLowerCase()) ?? refuse(cell, 'true or false', { name, column });
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return readFloat(trimmed) ?? refuse(cell, 'a number', { name, column });
    case 'INT64':
    case 'UINT64':
      if (!wholeNumber.test(trimmed)) throw refusal(cell, 'a whole number', { name, column });
      return Number.isSafeInteger(Number(trimmed)) ? Number(trimmed) : BigInt(trimmed);
    default:
      return (trimmed === '' ? undefined : readFloat(trimmed)) ?? refuse(cell, 'a whole number', { name, column });
  }
}

function readFloat(text: string): number | undefined {
  if (text === '' || /^nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const number = Number(text);
  return Number.isNaN(number) ? undefined : number;
}

interface Place {
  readonly name: string;
  readonly column: string;
}

function refuse(cell: string, expected: string, place: Place): never {
  throw refusal(cell, expected, place);
}

function refusal(cell: string, expected: string, { name, column }: Place): AppError {
  const message = `the cell ${quote(cell)} of ${column} is not ${expected}`;
  return malformedTensor(name, { path: [column], type: 'invalid_type', message, received: cell, expected });
}
