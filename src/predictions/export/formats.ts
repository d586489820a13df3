import type { Pages } from '../../tabular/column.ts';
import { writeJsonLines } from '../../tabular/json-lines.ts';
import { writeCsv } from '../../tabular/write-csv.ts';
import { writeParquet } from '../../tabular/write-parquet.ts';
import { exactNumber } from '../../tensor/json/exact-json-text.ts';
import { readKept } from '../recording/kept-text.ts';
import { predictionText } from '../recording/prediction-text.ts';
import type { StoredPrediction } from '../stored-prediction.ts';
import { columns } from './columns.ts';

/** A kind of file that predictions can be exported as. */
export interface ExportFormat {
  readonly mediaType: string;
  /** The bytes of the file, as they come about. */
  write(pages: Pages<StoredPrediction>): AsyncIterable<Uint8Array | string>;
}

export const exportFormats: Readonly<Record<'jsonl' | 'csv' | 'parquet', ExportFormat>> = {
  jsonl: {
    mediaType: 'application/jsonl; charset=utf-8',
    // A prediction as GET /predictions has it.
    write: (pages) => writeJsonLines(pages, predictionText),
  },
  csv: { mediaType: 'text/csv; charset=utf-8; header=present', write: (pages) => writeCsv(columns, pages) },
  parquet: {
    mediaType: 'application/vnd.apache.parquet',
    write: (pages) => writeParquet(columns, pages, (text) => rawNumbers(readKept(text))),
  },
};

/** The value with each number that `JSON.stringify` would round as its text. */
function rawNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rawNumbers);
  if (typeof value !== 'object' || value === null) return exactNumber(value);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, rawNumbers(field)]));
}
