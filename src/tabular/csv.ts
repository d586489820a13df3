import { AppError } from '../errors.ts';

/**
 * The cells of a CSV text, as RFC 4180 has it: commas, quotes around cells that hold commas, quotes or line breaks, and
 * doubled quotes within. Lines of nothing but spaces and tabs are left out, as pandas does; `""` is a row of one empty
 * cell.
 *
 * @throws AppError `MALFORMED_BODY` for a quote that is never closed, or text beside a quoted cell
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let position = text.startsWith('\ufeff') ? 1 : 0;
  while (position < text.length) {
    if (row.length === 0) {
      const afterBlank = blankLineEnd(text, position);
      if (afterBlank !== undefined) {
        position = afterBlank;
        continue;
      }
    }
    const { cell, end } = text[position] === '"' ? quotedCell(text, position) : plainCell(text, position);
    row.push(cell);
    const separator = text[end];
    position = end + (text.startsWith('\r\n', end) ? 2 : 1);
    if (separator === ',' && position < text.length) continue;
    if (separator === ',') row.push('');
    rows.push(row);
    row = [];
  }
  return rows;
}

const blankLine = /[ \t]*(?:\r\n|\n|\r|$)/y;

function blankLineEnd(text: string, start: number): number | undefined {
  blankLine.lastIndex = start;
  return blankLine.test(text) ? blankLine.lastIndex : undefined;
}

const cellEnd = /,|\r\n|\n|\r/g;

function plainCell(text: string, start: number): { cell: string; end: number } {
  cellEnd.lastIndex = start;
  const end = cellEnd.exec(text)?.index ?? text.length;
  return { cell: text.slice(start, end), end };
}

function quotedCell(text: string, start: number): { cell: string; end: number } {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  if (end === -1) throw new AppError('MALFORMED_BODY', { message: `The quote at character ${start} is never closed` });
  const next = text[end + 1];
  if (next !== undefined && !',\r\n'.includes(next)) {
    throw new AppError('MALFORMED_BODY', { message: `Text follows the quoted cell that ends at character ${end}` });
  }
  return { cell: text.slice(start + 1, end).replaceAll('""', '"'), end: end + 1 };
}
