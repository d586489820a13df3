import { AppError } from '../../errors.ts';
import type { Signature, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import { isJsonObject, tensorsFromMembers } from '../named-inputs.ts';
import { readCell } from './csv-cell.ts';

/** A table with named columns; every row has a cell for each. The columns of a CSV without a header have no names. */
export interface DataFrame {
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly (readonly unknown[])[];
  /** Whether the cells are texts, which stand for values of the types of the model. */
  readonly isText: boolean;
}

/**
 * The frame of `dataframe_split`: `{"columns": […], "data": [[…], …]}`; an `index` says nothing to a model.
 *
 * @throws AppError `VALIDATION_FAILED`
 */
export function frameFromSplit(split: unknown): DataFrame {
  const { columns, data } = isJsonObject(split) ? split : {};
  if (!isTextList(columns)) throw refuse('dataframe_split.columns must be a list of names');
  if (!Array.isArray(data)) throw refuse('dataframe_split.data must be a list of rows');
  return { columns, rows: data.map((row, index) => checkRow(row, index, columns.length)), isText: false };
}

/**
 * The frame of `dataframe_records`: a list of objects by column. A record that lacks a column has a null there.
 *
 * @throws AppError `VALIDATION_FAILED`
 */
export function frameFromRecords(records: unknown): DataFrame {
  if (!Array.isArray(records) || !records.every(isJsonObject)) {
    throw refuse('dataframe_records must be a list of objects');
  }
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = records.map((record) => columns.map((name) => (Object.hasOwn(record, name) ? record[name] : null)));
  return { columns, rows, isText: false };
}

/**
 * The inputs of a model from a table. Where every input has a column of its name, the cells are the values of its rows,
 * and other columns are not used. Else the one input of a model must be `[rows, columns]`, and takes the columns in order.
 *
 * @throws AppError `SIGNATURE_MISMATCH` or `MALFORMED_TENSOR`
 */
export function tensorsFromFrame(frame: DataFrame, signature: Signature): Tensors {
  const { columns, rows } = frame;
  if (rows.length === 0) throw refuse('The data frame has no rows');
  const { inputs } = signature;
  const missing = inputs.filter(({ name }) => !columns?.includes(name));
  if (missing.length === 0) {
    const members = inputs.map((spec) => [spec.name, columnOf(frame, spec)] as const);
    return tensorsFromMembers(Object.fromEntries(members), signature, ['body']);
  }
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0 || input.shape.length !== 2) throw noPlace(frame, missing);
  const table = rows.map((row) => row.map((cell, column) => cellValue(frame, cell, [input, column])));
  return tensorsFromMembers({ [input.name]: table }, signature, ['body']);
}

/** The values of an input by row. Those of an input `[rows, 1]` may be bare, as columns of one number each are. */
function columnOf(frame: DataFrame, spec: TensorSpec): unknown[] {
  const column = frame.columns?.indexOf(spec.name) ?? -1;
  const isBare = spec.shape.length === 2 && spec.shape[1] === 1;
  return frame.rows.map((row) => {
    const value = cellValue(frame, row[column], [spec, column]);
    return isBare && !Array.isArray(value) ? [value] : value;
  });
}

function cellValue({ isText, columns }: DataFrame, cell: unknown, [spec, column]: [TensorSpec, number]): unknown {
  return isText ? readCell(String(cell), spec, columns?.[column] ?? `column ${column}`) : cell;
}

function checkRow(row: unknown, index: number, columns: number): readonly unknown[] {
  if (Array.isArray(row) && row.length === columns) return row;
  const received = Array.isArray(row) ? `${row.length} cells` : 'no list';
  throw refuse(`Row ${index} of the data frame has ${received}; expected ${columns} cells`);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

function noPlace({ columns }: DataFrame, missing: readonly TensorSpec[]): AppError {
  const names = missing.map(({ name }) => JSON.stringify(name)).join(', ');
  const given = columns?.map((name) => JSON.stringify(name)).join(', ') ?? 'no names';
  const message = `The data frame has no column for ${names}; its columns are ${given}`;
  const faults = missing.map(({ name }) => ({ location: ['body', name], type: 'missing_input', message }));
  return new AppError('SIGNATURE_MISMATCH', { message, received: columns, faults });
}

function refuse(message: string): AppError {
  return new AppError('VALIDATION_FAILED', {
    message,
    faults: [{ location: ['body'], type: 'invalid_value', message }],
  });
}
