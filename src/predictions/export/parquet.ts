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
    data: page.map((prediction) => column.read(prediction)),
    // The least and the greatest text of a JSON column would be of no use, and are never cut.
    statistics: column.type !== 'JSON',
  }));
}
