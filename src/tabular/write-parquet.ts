import type { Column, Pages } from './column.ts';

/**
 * A table in Parquet, compressed by Snappy, with a row group for each page.
 *
 * @param readJson gives the value of a cell of a JSON column, which is written by `JSON.stringify`
 */
export async function* writeParquet<Row>(
  columns: readonly Column<Row>[],
  pages: Pages<Row>,
  readJson: (text: string) => unknown,
): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const bytes = new ByteWriter();
  /** What has been written so far and not been given yet. */
  const taken = () => {
    const written = bytes.getBytes().slice();
    bytes.index = 0;
    return written;
  };
  const columnData = (page: readonly Row[]) => columns.map((column) => dataOf(column, page, readJson));
  const schema = schemaFromColumnData({ columnData: columnData([]) });
  const file = new ParquetWriter({ writer: bytes, schema, createdBy: 'inferd' });
  for await (const page of pages) {
    await file.write({ columnData: columnData(page), rowGroupSize: Math.max(1, page.length) });
    yield taken();
  }
  await file.finish();
  yield taken();
}

function dataOf<Row>(column: Column<Row>, page: readonly Row[], readJson: (text: string) => unknown) {
  return {
    name: column.name,
    type: column.type,
    data: page.map((row) => {
      const value = column.read(row);
      return column.type === 'JSON' && typeof value === 'string' ? readJson(value) : value;
    }),
    // The least and the greatest text of a JSON column would be of no use, and are never cut.
    statistics: column.type !== 'JSON',
  };
}
