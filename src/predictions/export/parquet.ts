import { exactNumber } from '../../tensor/exact-json-text.ts';
import { readKept } from '../kept-text.ts';
import type { StoredPrediction } from '../stored-prediction.ts';
import { columns } from './table.ts';

/** A table in Parquet, compressed by Snappy, with a row group for each page. */
export async function* writeParquet(pages: AsyncIterable<readonly StoredPrediction[]>): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const bytes = new ByteWriter();
  /** What has been written so far and not been given yet. */
  const taken = () => {
    const written = bytes.getBytes().slice();
    bytes.index = 0;
    return written;
  };
  const schema = schemaFromColumnData({ columnData: columnData([]) });
  const file = new ParquetWriter({ writer: bytes, schema, createdBy: 'inferd' });
  for await (const page of pages) {
    await file.write({ columnData: columnData(page), rowGroupSize: Math.max(1, page.length) });
    yield taken();
  }
  await file.finish();
  yield taken();
}

function columnData(page: readonly StoredPrediction[]) {
  return columns.map((column) => ({
    name: column.name,
    type: column.type,
    data: page.map((prediction) => {
      const value = column.read(prediction);
      return column.type === 'JSON' && typeof value === 'string' ? rawNumbers(readKept(value)) : value;
    }),
    // The least and the greatest text of a JSON column would be of no use, and are never cut.
    statistics: column.type !== 'JSON',
  }));
}

/** The value with each number that the writer would round as its text: it takes values, and writes them by `JSON.stringify`. */
function rawNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rawNumbers);
  if (typeof value !== 'object' || value === null) return exactNumber(value);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, rawNumbers(field)]));
}
