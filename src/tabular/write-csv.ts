import type { Column, Pages } from './column.ts';

/** What spreadsheets take for the beginning of a formula. */
const formulaStart = /^[=+\-@\t\r\n]/;

/**
 * A table in CSV as RFC 4180 and {@link readCsv} have it, with the names of the columns in its first row. A text that a
 * spreadsheet would compute has an apostrophe before it: the program that opens the file would run what a client has
 * written: https://owasp.org/www-community/attacks/CSV_Injection. Numbers and JSON stay as they are. A missing value is
 * the empty text.
 */
export async function* writeCsv<Row>(columns: readonly Column<Row>[], pages: Pages<Row>): AsyncGenerator<string> {
  yield csvLine(columns.map(({ name }) => name));
  for await (const page of pages) {
    if (page.length > 0) yield page.map((row) => csvLine(columns.map((column) => textOf(column, row)))).join('');
  }
}

/** A row of CSV with its line break, which {@link readCsv} reads back as the same cells. */
export function csvLine(cells: readonly string[]): string {
  const [only] = cells;
  // A line without anything would be no row.
  if (cells.length === 1 && only !== undefined && /^[ \t]*$/.test(only)) return `"${only}"\r\n`;
  return `${cells.map(cellText).join(',')}\r\n`;
}

/** A byte order mark is quoted too: in the first cell of a file it would be read as the mark of the file. */
function cellText(cell: string): string {
  return /[",\r\n]|^\ufeff/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function textOf<Row>(column: Column<Row>, row: Row): string {
  const value = column.read(row);
  if (value === null) return '';
  if (value instanceof Date) return value.toISOString();
  const text = String(value);
  return column.type === 'STRING' && formulaStart.test(text) ? `'${text}` : text;
}
