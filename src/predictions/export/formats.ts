import type { StoredPrediction } from '../stored-prediction.ts';
import { writeCsv } from './csv.ts';
import { writeJsonLines } from './json-lines.ts';
import { writeParquet } from './parquet.ts';

/** Predictions, page by page. */
export type Pages = AsyncIterable<readonly StoredPrediction[]>;

/** A kind of file that predictions can be exported as. */
export interface ExportFormat {
  readonly mediaType: string;
  /** The bytes of the file, as they come about. */
  write(pages: Pages): AsyncIterable<Uint8Array | string>;
}

export const exportFormats: Readonly<Record<'jsonl' | 'csv' | 'parquet', ExportFormat>> = {
  jsonl: { mediaType: 'application/jsonl; charset=utf-8', write: writeJsonLines },
  csv: { mediaType: 'text/csv; charset=utf-8; header=present', write: writeCsv },
  parquet: { mediaType: 'application/vnd.apache.parquet', write: writeParquet },
};
