import { AppError } from '../errors.ts';
import type { SlicedWork } from '../timing/sliced-work.ts';

/** A longer cell is no value of a table. */
const mostCellCharacters = 2 ** 20;

/** So many cells are read before others may go on. */
const cellsPerStep = 4096;

/**
 * The cells of a CSV text, as RFC 4180 has it: commas, quotes around cells that hold commas, quotes or line breaks, and
 * doubled quotes within. Lines of nothing but spaces and tabs are left out, as pandas does; `""` is a row of one empty
 * cell.
 *
 * @param onRow is given each row as soon as it is read; what it throws ends the reading
 * @param onCells is told of every 4096 cells of a row that has not ended
 * @throws AppError `MALFORMED_BODY` for a quote that is never closed, text beside a quoted cell, or a cell of more than a
 *   million characters
 */
export function* readCsv(
  text: string,
  onRow: (row: string[]) => void,
  onCells: (cells: number) => void = () => {},
): SlicedWork<void> {
  let row: string[] = [];
  let sinceYield = 0;
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
    sinceYield += 1;
    if (sinceYield === cellsPerStep) {
      sinceYield = 0;
      onCells(row.length);
      yield undefined;
    }
    const separator = text[end];
    position = end + (text.startsWith('\r\n', end) ? 2 : 1);
    if (separator === ',' && position < text.length) continue;
    if (separator === ',') row.push('');
    onRow(row);
    row = [];
  }
}

// A blank line that is longer is a cell of spaces, and refused as such.
const blankLine = /[ \t]{0,65536}(?:\r\n|\n|\r|$)/y;

function blankLineEnd(text: string, start: number): number | undefined {
  blankLine.lastIndex = start;
  return blankLine.test(text) ? blankLine.lastIndex : undefined;
}

const cellEnd = /,|\r\n|\n|\r/g;

function plainCell(text: string, start: number): { cell: string; end: number } {
  cellEnd.lastIndex = start;
  const end = cellEnd.exec(text)?.index ?? text.length;
  checkLength(start, end);
  return { cell: text.slice(start, end), end };
}

function quotedCell(text: string, start: number): { cell: string; end: number } {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && text[end + 1] === '"') {
    checkLength(start, end);
    end = text.indexOf('"', end + 2);
  }
  if (end === -1) throw new AppError('MALFORMED_BODY', { message: `The quote at character ${start} is never closed` });
  checkLength(start, end);
  const next = text[end + 1];
  if (next !== undefined && !',\r\n'.includes(next)) {
    throw new AppError('MALFORMED_BODY', { message: `Text follows the quoted cell that ends at character ${end}` });
  }
  return { cell: text.slice(start + 1, end).replaceAll('""', '"'), end: end + 1 };
}

function checkLength(start: number, end: number): void {
  if (end - start <= mostCellCharacters) return;
  const message = `The cell at character ${start} has more than ${mostCellCharacters} characters`;
  throw new AppError('MALFORMED_BODY', { message, expected: mostCellCharacters });
}
