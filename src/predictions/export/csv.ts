import type { StoredPrediction } from '../stored-prediction.ts';
import { type Column, columns } from './table.ts';

/** What spreadsheets take for the beginning of a formula. */
const formulaStart = /^[=+\-@\t\r\n]/;

/**
 * A table in CSV as RFC 4180 has it. A text that a spreadsheet would compute has an apostrophe before it: the program of
 * whoever opens the file would run what a client has written: https://owasp.org/www-community/attacks/CSV_Injection. Numbers and JSON
 * stay as they are.
 */
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
  if (value instanceof Date) return value.toISOString();
  const text = String(value);
  return column.type === 'STRING' && formulaStart.test(text) ? `'${text}` : text;
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
