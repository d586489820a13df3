import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Column } from '../../src/tabular/column.ts';
import { readCsv } from '../../src/tabular/read-csv.ts';
import { csvLine, writeCsv } from '../../src/tabular/write-csv.ts';
import { finish } from '../../src/timing/sliced-work.ts';

function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  finish(readCsv(text, (row) => void rows.push(row)));
  return rows;
}

async function* pagesOf<Row>(...pages: readonly Row[][]) {
  yield* pages;
}

async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

describe('csvLine', () => {
  it('quotes no more than it must', () => {
    expect(csvLine(['a', 'b c', '', '1,5', 'say "a"', 'x\ny'])).toBe('a,b c,,"1,5","say ""a""","x\ny"\r\n');
  });

  it('writes what is read back as the same cells, whatever they hold and however many there are', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', '\t', '\ufeff', "'", '한') });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns })));
    fc.assert(
      fc.property(table, (rows) => {
        expect(parseCsv(rows.map(csvLine).join(''))).toEqual(rows);
      }),
    );
  });
});

describe('writeCsv', () => {
  it('writes the names of the columns, and a line a row, page by page', async () => {
    interface Row {
      readonly name: string | null;
      readonly weight: number;
    }
    const columns: readonly Column<Row>[] = [
      { name: 'name', type: 'STRING', read: ({ name }) => name },
      { name: 'weight', type: 'DOUBLE', read: ({ weight }) => weight },
      { name: 'doubled', type: 'JSON', read: ({ weight }) => JSON.stringify({ by: 2, weight: 2 * weight }) },
      { name: 'at', type: 'TIMESTAMP', read: () => new Date(0) },
    ];
    const pages = pagesOf<Row>([{ name: '=a', weight: -1 }], [], [{ name: null, weight: 2 }]);
    const at = '1970-01-01T00:00:00.000Z';
    expect(parseCsv(await textOf(writeCsv(columns, pages)))).toEqual([
      ['name', 'weight', 'doubled', 'at'],
      ["'=a", '-1', '{"by":2,"weight":-2}', at],
      ['', '2', '{"by":2,"weight":4}', at],
    ]);
  });
});
