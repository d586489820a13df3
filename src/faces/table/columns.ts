import type { ColumnSettings, TableSettings } from '../../models/face-settings/table-settings.ts';
import type { DataType } from '../../tensor/data-type.ts';
import type { Signature, TensorSpec } from '../../tensor/tensor.ts';
import { refuseFaults } from '../face-faults.ts';

/** A value of a record, and where it goes. */
export interface Column {
  /** What clients call it. */
  readonly name: string;
  readonly input: string;
  readonly datatype: DataType;
  readonly settings: ColumnSettings;
}

/** How records become inputs: each column is one, or all of them are the columns of one matrix. */
export interface TableInputs {
  readonly columns: readonly Column[];
  /** Undefined where each column is an input. */
  readonly matrix: TensorSpec | undefined;
  /** Shape of a column that is an input, for so many rows. */
  readonly columnRank: 1 | 2;
}

/** Whether every input is a column of its own, [rows, 1], as exporters of scikit-learn's pipelines make them. */
export function areColumns({ inputs }: Signature): boolean {
  return inputs.length > 0 && inputs.every(({ shape }) => shape.length === 2 && shape[1] === 1 && isRows(shape[0]));
}

function isRows(dimension: number | undefined): boolean {
  return dimension === -1 || dimension === 1;
}

/**
 * The columns of records.
 *
 * @throws AppError `FACE_INVALID` that names every column that does not fit the inputs
 */
export function readColumns(signature: Signature, settings: TableSettings | undefined): TableInputs {
  const named = settings?.columns ?? [];
  const inputs = isSingleMatrix(signature, settings) ? readMatrix(signature, settings) : readInputs(signature, named);
  const names = inputs.columns.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  refuseFaults(twice.map((name) => `face.columns: two columns have the name ${JSON.stringify(name)}`));
  return inputs;
}

function isSingleMatrix({ inputs }: Signature, settings: TableSettings | undefined): settings is TableSettings {
  if (settings === undefined) return false;
  if (settings.input !== undefined) return true;
  const [only] = inputs;
  return (
    inputs.length === 1 && only?.shape.length === 2 && (only.shape[1] !== 1 || (settings.columns?.length ?? 0) > 1)
  );
}

function readMatrix({ inputs }: Signature, { input, columns = [] }: TableSettings): TableInputs {
  const matrix = inputs.find(({ name }) => input === undefined || name === input);
  const names = inputs.map(({ name }) => name).join(', ');
  if (matrix === undefined || inputs.length !== 1) {
    refuseFaults([
      `face.input: the model takes ${names}; expected one matrix${input === undefined ? '' : ` ${input}`}`,
    ]);
  }
  if (matrix === undefined) return { columns: [], matrix: undefined, columnRank: 2 };
  const { name, shape, datatype } = matrix;
  const width = shape[1];
  const faults: string[] = [];
  if (shape.length !== 2 || !isRows(shape[0])) {
    faults.push(`face.input: the input ${name} has the shape [${shape.join(',')}], expected [rows, columns]`);
  } else if (columns.length === 0) {
    faults.push(`face.columns: expected the names of the columns of the input ${name}`);
  } else if (width !== -1 && width !== columns.length) {
    faults.push(`face.columns: the input ${name} has ${width} columns, ${columns.length} are named`);
  }
  const strange = columns.filter(({ from }) => from !== undefined);
  faults.push(
    ...strange.map((column) => `face.columns.${column.name}.from: the columns of a matrix have no inputs of their own`),
  );
  refuseFaults(faults);
  return {
    columns: columns.map((settings) => ({ name: settings.name, input: name, datatype, settings })),
    matrix,
    columnRank: 2,
  };
}

function readInputs({ inputs }: Signature, named: readonly ColumnSettings[]): TableInputs {
  const faults: string[] = [];
  for (const { name, shape } of inputs) {
    const isColumn = (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) && isRows(shape[0]);
    if (!isColumn) faults.push(`the input ${name} has the shape [${shape.join(',')}], expected [rows, 1] or [rows]`);
  }
  const ranks = new Set(inputs.map(({ shape }) => shape.length));
  if (ranks.size > 1) faults.push('some inputs have one dimension and some have two');
  for (const [index, { name, from = name }] of named.entries()) {
    if (inputs.some((input) => input.name === from)) continue;
    const names = inputs.map((input) => input.name).join(', ');
    faults.push(`face.columns.${index}: the model has no input ${JSON.stringify(from)}, but ${names}`);
  }
  refuseFaults(faults);
  const columns = inputs.map(({ name, datatype }): Column => {
    const settings = named.find((column) => (column.from ?? column.name) === name) ?? { name };
    return { name: settings.name, input: name, datatype, settings };
  });
  return { columns, matrix: undefined, columnRank: ranks.has(1) ? 1 : 2 };
}
