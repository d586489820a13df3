import { AppError } from '../../errors.ts';
import type { Signature, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import { isJsonObject, listsOfOne, tensorsFromMembers } from '../named-inputs.ts';
import { readCell } from './csv-cell.ts';

/** A table with named columns; every row has a cell for each. The columns of a CSV without a header have no names. */
export interface DataFrame {
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly (readonly unknown[])[];
  /** Whether the cells are texts, which stand for values of the types of the model. */
  readonly isText: boolean;
  /** Whether the order of the columns is lost. @default false */
  readonly isUnordered?: boolean;
}

/** Names that JavaScript moves to the front of an object, by size. */
const integerName = /^(?:0|[1-9]\d{0,9})$/;

/**
 * The frame of `dataframe_split`: `{"columns": […], "data": [[…], …]}`; an `index` says nothing to a model. Names of
 * columns are texts or, as pandas counts columns that got none, numbers; without any the columns have their order.
 *
 * @throws AppError `VALIDATION_FAILED`
 */
export function frameFromSplit(split: unknown): DataFrame {
  const { columns: given, data } = isJsonObject(split) ? split : {};
  const columns = given === undefined || given === null ? undefined : columnNames(given);
  if (!Array.isArray(data)) throw refuse('dataframe_split.data must be a list of rows');
  const [first] = data;
  const width = columns?.length ?? (Array.isArray(first) ? first.length : 0);
  return { columns, rows: data.map((row, index) => checkRow(row, index, width)), isText: false };
}

function columnNames(columns: unknown): string[] {
  const isNamed = (name: unknown) => ['string', 'number', 'bigint'].includes(typeof name);
  if (Array.isArray(columns) && columns.every(isNamed)) return columns.map(String);
  throw refuse('dataframe_split.columns must be a list of names, texts or numbers');
}

/**
 * The frame of `dataframe_records`: a list of objects by column. A record that lacks a column has a null there. Columns
 * that are numbered from 0 have the order of their numbers; where only some are, or one is left out, it is not known.
 *
 * @throws AppError `VALIDATION_FAILED`
 */
export function frameFromRecords(records: unknown): DataFrame {
  if (!Array.isArray(records) || !records.every(isJsonObject)) {
    throw refuse('dataframe_records must be a list of objects');
  }
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = records.map((record) => columns.map((name) => (Object.hasOwn(record, name) ? record[name] : null)));
  const isCounted = columns.every((name, index) => name === String(index));
  return { columns, rows, isText: false, isUnordered: !isCounted && columns.some((name) => integerName.test(name)) };
}

/**
 * The inputs of a model from a table. Where every input has a column of its name, the cells are the values of its rows,
 * and other columns are not used. Else the one input of a model must be `[rows, columns]`, and takes the columns in order.
 *
 * @throws AppError `VALIDATION_FAILED` when there are no rows, an input has two columns, or the order is not known;
 *   `SIGNATURE_MISMATCH` or `MALFORMED_TENSOR`
 */
export function tensorsFromFrame(frame: DataFrame, signature: Signature): Tensors {
  const { columns, rows } = frame;
  if (rows.length === 0) throw refuse('The data frame has no rows');
  const { inputs } = signature;
  const missing = inputs.filter(({ name }) => !columns?.includes(name));
  if (missing.length === 0) {
    const twice = inputs.find(({ name }) => columns?.indexOf(name) !== columns?.lastIndexOf(name));
    if (twice !== undefined) throw refuse(`The data frame has two columns ${JSON.stringify(twice.name)}`);
    const members = inputs.map((spec) => [spec.name, columnOf(frame, spec)] as const);
    return tensorsFromMembers(Object.fromEntries(members), signature, ['body']);
  }
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0 || input.shape.length !== 2) throw noPlace(frame, missing);
  if (frame.isUnordered === true) throw unordered(frame);
  const table = rows.map((row) => row.map((cell, column) => cellValue(frame, cell, [input, column])));
  return tensorsFromMembers({ [input.name]: table }, signature, ['body']);
}

/** The values of an input by row. */
function columnOf(frame: DataFrame, spec: TensorSpec): unknown[] {
  const column = frame.columns?.indexOf(spec.name) ?? -1;
  const values = frame.rows.map((row) => cellValue(frame, row[column], [spec, column]));
  return listsOfOne(values, spec);
}

function cellValue({ isText, columns }: DataFrame, cell: unknown, [spec, column]: [TensorSpec, number]): unknown {
  return isText ? readCell(String(cell), spec, columns?.[column] ?? `column ${column}`) : cell;
}

function checkRow(row: unknown, index: number, columns: number): readonly unknown[] {
  if (Array.isArray(row) && row.length === columns) return row;
  const received = Array.isArray(row) ? `${row.length} cells` : 'no list';
  throw refuse(`Row ${index} of the data frame has ${received}; expected ${columns} cells`);
}

function unordered({ columns }: DataFrame): AppError {
  const given = columns?.map((name) => JSON.stringify(name)).join(', ');
  return refuse(
    `The columns ${given} have no order that JSON keeps: number all from 0, give all other names, or use dataframe_split`,
  );
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
