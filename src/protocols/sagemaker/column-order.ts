import { AppError } from '../../errors.ts';
import { quoteNames } from '../../tensor/malformed-tensor.ts';
import type { DataFrame } from './data-frame.ts';

/**
 * A frame with its columns in the order of the matrix that a model takes, where both have names: pandas keeps no order that a
 * model could rely on, and a column in the place of another would be answered wrongly.
 *
 * @param order names of the columns of the matrix; undefined where they have none, and the frame stays as it is
 * @throws AppError `SIGNATURE_MISMATCH` for columns that are missing or unknown
 */
export function inOrder(frame: DataFrame, order: readonly string[] | undefined): DataFrame {
  const { columns } = frame;
  // Columns that pandas has counted have no names.
  if (order === undefined || columns === undefined || columns.every((name, index) => name === String(index)))
    return frame;
  const missing = order.filter((name) => !columns.includes(name));
  const unknown = columns.filter((name) => !order.includes(name));
  const twice = columns.filter((name, index) => columns.indexOf(name) !== index);
  if (missing.length > 0 || unknown.length > 0 || twice.length > 0) {
    const message = `The data frame has the columns ${quoteNames(columns)}; the model takes ${quoteNames(order)}`;
    const faults = [
      ...missing.map((name) => ({ location: ['body', name], type: 'missing', message })),
      ...unknown.map((name) => ({ location: ['body', name], type: 'unknown_input', message })),
    ];
    throw new AppError('SIGNATURE_MISMATCH', { message, received: columns, expected: order, faults });
  }
  const places = order.map((name) => columns.indexOf(name));
  const rows = frame.rows.map((row) => places.map((place) => row[place]));
  return { ...frame, columns: order, rows, isUnordered: false };
}
