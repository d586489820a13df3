import { createInterface } from 'node:readline';
import type { Pages } from './column.ts';

/**
 * Rows as JSON Lines (https://jsonlines.org), a value a line.
 *
 * @param textOf the JSON of a row, without line breaks
 */
export async function* writeJsonLines<Row>(pages: Pages<Row>, textOf: (row: Row) => string): AsyncGenerator<string> {
  for await (const page of pages) {
    if (page.length > 0) yield page.map((row) => `${textOf(row)}\n`).join('');
  }
}

/** The JSON of each line; lines of nothing but white space are left out. */
export async function* readJsonLines(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() !== '') yield line;
  }
}
