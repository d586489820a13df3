import { AppError } from '../../errors.ts';
import type { DataType } from '../../tensor/data-type.ts';
import type { Tensor, Tensors } from '../../tensor/tensor.ts';
import type { Cell } from './column-schema.ts';
import type { TableInputs } from './columns.ts';

/** A record by the names of its columns, validated. */
export type TableRecord = Readonly<Record<string, unknown>>;

/** The inputs of the model, a row for each record. */
export function encodeRecords({ columns, matrix, columnRank }: TableInputs, records: readonly TableRecord[]): Tensors {
  const rows = records.length;
  if (matrix !== undefined) {
    const cells = records.flatMap((record) => columns.map(({ name }) => cellOf(record, name)));
    return { [matrix.name]: tensorOf(matrix.datatype, [rows, columns.length], cells) };
  }
  const shape = columnRank === 1 ? [rows] : [rows, 1];
  const inputs = columns.map(({ name, input, datatype }) => {
    const cells = records.map((record) => cellOf(record, name));
    return [input, tensorOf(datatype, shape, cells)] as const;
  });
  return Object.fromEntries(inputs);
}

function cellOf(record: TableRecord, name: string): Cell {
  const cell = record[name];
  if (typeof cell === 'number' || typeof cell === 'string' || typeof cell === 'boolean') return cell;
  throw new AppError('INTERNAL', { message: `A validated record has no column ${JSON.stringify(name)}` });
}

function tensorOf(datatype: DataType, shape: readonly number[], cells: readonly Cell[]): Tensor {
  switch (datatype) {
    case 'BYTES':
      return { datatype, shape, data: cells.map(String) };
    case 'INT64':
      return { datatype, shape, data: BigInt64Array.from(cells, BigInt) };
    case 'UINT64':
      return { datatype, shape, data: BigUint64Array.from(cells, BigInt) };
    case 'FP32':
      return { datatype, shape, data: Float32Array.from(cells, Number) };
    case 'FP64':
      return { datatype, shape, data: Float64Array.from(cells, Number) };
    case 'INT8':
      return { datatype, shape, data: Int8Array.from(cells, Number) };
    case 'INT16':
      return { datatype, shape, data: Int16Array.from(cells, Number) };
    case 'INT32':
      return { datatype, shape, data: Int32Array.from(cells, Number) };
    case 'BOOL':
    case 'UINT8':
      return { datatype, shape, data: Uint8Array.from(cells, Number) };
    case 'UINT16':
      return { datatype, shape, data: Uint16Array.from(cells, Number) };
    case 'UINT32':
      return { datatype, shape, data: Uint32Array.from(cells, Number) };
    case 'FP16':
      throw new AppError('INTERNAL', { message: 'A column of FP16 is refused when its face is made' });
  }
}
