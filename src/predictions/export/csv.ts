import type { StoredPrediction } from '../stored-prediction.ts';
import { type Column, columns } from './table.ts';

/** A table in CSV as RFC 4180 has it. */
export async function* writeCsv(pages: AsyncIterable<readonly StoredPrediction[]>): AsyncGenerator<string> {
  yield `${columns.map(({ name }) => name).join(',')}\r\n`;
  for await (const page of pages) {
    if (page.length > 0) yield page.map(line).join('');
  }
}

function line(prediction: StoredPrediction): string {
  return `${columns.map((column) => cell(textOf(column, prediction))).join(',')}\r\n`;
}

/** A value that there is none of is the empty text. */
function textOf(column: Column, prediction: StoredPrediction): string {
  const value = column.read(prediction);
  if (value === null) return '';
  return value instanceof Date ? value.toISOString() : String(value);
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
