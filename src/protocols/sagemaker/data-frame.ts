import { AppError, type Fault } from '../../errors.ts';
import { malformedTensor, quote, quoteNames, quoteShape } from '../../tensor/malformed-tensor.ts';
import { isJsonList, type JsonList } from '../../tensor/sliced-json/long-list.ts';
import type { Signature, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { invalidBody } from '../invalid-body.ts';
import { isJsonObject, listsOfOne, tensorsFromMembers } from '../named-inputs.ts';
import { readCell } from './csv-cell.ts';
import type { FrameBounds } from './frame-bounds.ts';

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

/** What a frame is for, so that it is held against it while it is read. */
export interface FrameTarget {
  readonly signature: Signature;
  readonly bounds: FrameBounds;
}

/** So many rows are gone through before others may go on. */
const rowsPerStep = 256;

/**
 * The frame of `dataframe_split`: `{"columns": […], "data": [[…], …]}`; an `index` says nothing to a model. Names of
 * columns are texts or, as pandas counts columns that got none, numbers; without any the columns have their order.
 *
 * @throws AppError `VALIDATION_FAILED`, `BODY_TOO_LARGE`, and what {@link checkColumns} throws
 */
export function* frameFromSplit(split: unknown, { signature, bounds }: FrameTarget): SlicedWork<DataFrame> {
  const { columns: given, data } = isJsonObject(split) ? split : {};
  if (!isJsonList(data)) throw invalidBody('dataframe_split.data must be a list of rows');
  const names = given === undefined || given === null ? undefined : columnNames(given, bounds);
  const [first] = data;
  const width = names?.length ?? (isJsonList(first) ? first.length : 0);
  bounds.check(data.length, width);
  const rows: (readonly unknown[])[] = [];
  for (const row of data) {
    rows.push(checkRow(row, rows.length, width));
    if (rows.length % rowsPerStep === 0) yield undefined;
  }
  checkColumns(names, width, { signature, rows: rows.length });
  return { columns: names, rows, isText: false };
}

function columnNames(given: unknown, bounds: FrameBounds): string[] {
  const isNamed = (name: unknown) => ['string', 'number', 'bigint'].includes(typeof name);
  const isList = isJsonList(given);
  if (isList) bounds.checkNames(given.length);
  const names = isList ? [...given] : [undefined];
  if (!names.every(isNamed)) throw invalidBody('dataframe_split.columns must be a list of names, texts or numbers');
  return names.map(String);
}

/**
 * The frame of `dataframe_records`: a list of objects by column. A record that lacks a column has a null there. Where
 * every input of the model has a column, others are left out. Columns that are numbered from 0 have the order of their
 * numbers; where only some are, or one is left out, it is not known.
 *
 * @throws AppError `VALIDATION_FAILED`, `SIGNATURE_MISMATCH` for names that the model has no place for, `BODY_TOO_LARGE`
 */
export function* frameFromRecords(records: unknown, { signature, bounds }: FrameTarget): SlicedWork<DataFrame> {
  if (!isJsonList(records)) throw invalidBody('dataframe_records must be a list of objects');
  bounds.check(records.length, signature.inputs.length);
  const columns = yield* columnsOfRecords(records, { signature, bounds });
  const rows: unknown[][] = [];
  for (const record of records) {
    if (!isJsonObject(record)) throw invalidBody('dataframe_records must be a list of objects');
    rows.push(columns.map((name) => (Object.hasOwn(record, name) ? record[name] : null)));
    if (rows.length % rowsPerStep === 0) yield undefined;
  }
  const isCounted = columns.every((name, index) => name === String(index));
  return { columns, rows, isText: false, isUnordered: !isCounted && columns.some((name) => integerName.test(name)) };
}

/** The inputs of the model where all of them are there, else all names in order. */
function* columnsOfRecords(records: JsonList, { signature, bounds }: FrameTarget): SlicedWork<readonly string[]> {
  const inputs = signature.inputs.map(({ name }) => name);
  const missing = new Set(inputs);
  let index = 0;
  for (const record of records) {
    if (!isJsonObject(record)) throw invalidBody('dataframe_records must be a list of objects');
    for (const name of missing) if (Object.hasOwn(record, name)) missing.delete(name);
    index += 1;
    if (index % rowsPerStep === 0) yield undefined;
  }
  if (missing.size === 0) return inputs;

  const table = tableInput(signature);
  const columns = new Set<string>();
  index = 0;
  for (const record of records) {
    for (const name of Object.keys(record as object)) {
      if (columns.has(name)) continue;
      if (table === undefined) throw noPlace(Object.keys(record as object), signature);
      columns.add(name);
      const [, width = -1] = table.shape;
      if (width >= 0 && columns.size > width) throw strangeColumn(index, name, table);
      bounds.checkNames(columns.size);
      bounds.check(records.length, columns.size);
    }
    index += 1;
    if (index % rowsPerStep === 0) yield undefined;
  }
  return [...columns];
}

/**
 * Checks that the model has a place for the columns: every input by its name, or all of them in its one input.
 *
 * @param count how many there are, named or not
 * @param rows how many there are; undefined while they are not known
 * @throws AppError `SIGNATURE_MISMATCH` or `MALFORMED_TENSOR`
 */
export function checkColumns(
  columns: readonly string[] | undefined,
  count: number,
  { signature, rows }: { readonly signature: Signature; readonly rows?: number },
): void {
  if (rows === 0) throw invalidBody('The data frame has no rows');
  if (hasAllInputs(columns, signature)) return;
  const table = tableInput(signature);
  if (table === undefined) throw noPlace(columns, signature);
  const [, width = -1] = table.shape;
  if (width < 0 || width === count) return;
  const shape = [rows ?? 'rows', count];
  throw malformedTensor(table.name, {
    type: 'shape_mismatch',
    message: `the data frame has the shape [${shape.join(', ')}], the model takes ${quoteShape(table.shape)}`,
    received: shape,
    expected: table.shape,
  });
}

/**
 * The inputs of a model from a table. Where every input has a column of its name, the cells are the values of its rows,
 * and other columns are not used. Else the one input of a model must be `[rows, columns]`, and takes the columns in order.
 *
 * @throws AppError `VALIDATION_FAILED` when there are no rows, an input has two columns, or the order is not known;
 *   `SIGNATURE_MISMATCH` or `MALFORMED_TENSOR`
 */
export function* tensorsFromFrame(frame: DataFrame, signature: Signature): SlicedWork<Tensors> {
  const { columns, rows } = frame;
  if (rows.length === 0) throw invalidBody('The data frame has no rows');
  if (hasAllInputs(columns, signature)) {
    const twice = signature.inputs.find(({ name }) => columns?.indexOf(name) !== columns?.lastIndexOf(name));
    if (twice !== undefined) throw invalidBody(`The data frame has two columns ${quote(twice.name)}`);
    const members: [string, JsonList][] = [];
    for (const spec of signature.inputs) members.push([spec.name, yield* columnOf(frame, spec)]);
    return yield* tensorsFromMembers(Object.fromEntries(members), signature, ['body']);
  }
  const input = tableInput(signature);
  if (input === undefined) throw noPlace(columns, signature);
  if (frame.isUnordered === true) throw unordered(frame);
  const table: unknown[][] = [];
  for (const row of rows) {
    table.push(row.map((cell, column) => cellValue(frame, cell, [input, column])));
    yield undefined;
  }
  return yield* tensorsFromMembers({ [input.name]: table }, signature, ['body']);
}

function hasAllInputs(columns: readonly string[] | undefined, { inputs }: Signature): boolean {
  const names = new Set(columns);
  return inputs.every(({ name }) => names.has(name));
}

/** The one input of a model that takes a table as it is. */
function tableInput({ inputs: [input, ...others] }: Signature): TensorSpec | undefined {
  return others.length === 0 && input?.shape.length === 2 ? input : undefined;
}

/** The values of an input by row. */
function* columnOf(frame: DataFrame, spec: TensorSpec): SlicedWork<JsonList> {
  const column = frame.columns?.indexOf(spec.name) ?? -1;
  const values: unknown[] = [];
  for (const row of frame.rows) {
    values.push(cellValue(frame, row[column], [spec, column]));
    if (values.length % rowsPerStep === 0) yield undefined;
  }
  return listsOfOne(values, spec);
}

function cellValue({ isText, columns }: DataFrame, cell: unknown, [spec, column]: [TensorSpec, number]): unknown {
  return isText ? readCell(String(cell), spec, columns?.[column] ?? `column ${column}`) : cell;
}

function checkRow(row: unknown, index: number, columns: number): readonly unknown[] {
  if (isJsonList(row) && row.length === columns) return Array.isArray(row) ? row : [...row];
  const received = isJsonList(row) ? `${row.length} cells` : 'no list';
  throw invalidBody(`Row ${index} of the data frame has ${received}; expected ${columns} cells`);
}

function unordered({ columns }: DataFrame): AppError {
  const given = quoteNames(columns ?? []);
  return invalidBody(
    `The columns ${given} have no order that JSON keeps: number all from 0, give all other names, or use dataframe_split`,
  );
}

function noPlace(columns: readonly string[] | undefined, { inputs }: Signature): AppError {
  const given = new Set(columns);
  const missing = inputs.filter(({ name }) => !given.has(name));
  const names = quoteNames(missing.map(({ name }) => name));
  const message = `The data frame has no column for ${names}; its columns are ${columns === undefined ? 'no names' : quoteNames(columns)}`;
  const faults = missing.map(({ name }) => ({ location: ['body', name], type: 'missing_input', message }));
  return mismatch(message, faults);
}

function strangeColumn(record: number, name: string, { name: input, shape }: TensorSpec): AppError {
  const message = `Record ${record} has the column ${quote(name)}, one more than the ${shape[1]} that the model takes (${quote(input)} ${quoteShape(shape)})`;
  const location = ['body', 'dataframe_records', record, name];
  return mismatch(message, [{ location, type: 'unknown_input', message }]);
}

function mismatch(message: string, faults: readonly Fault[]): AppError {
  return new AppError('SIGNATURE_MISMATCH', { message, faults });
}
