import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/tabular/read-csv.ts';
import { finish } from '../../src/timing/sliced-work.ts';

function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  finish(readCsv(text, (row) => void rows.push(row)));
  return rows;
}

const write = (rows: readonly (readonly string[])[], end: string) =>
  rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',') + end).join('');

describe('readCsv', () => {
  it.each([
    ['', []],
    ['a', [['a']]],
    [
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,\n,b\n',
      [
        ['a', ''],
        ['', 'b'],
      ],
    ],
    ['a,', [['a', '']]],
    ['a\n\n\nb', [['a'], ['b']]],
    ['"a,""b""\n",c', [['a,"b"\n', 'c']]],
    ['\ufeffa', [['a']]],
    ['"",""', [['', '']]],
    ['a\n""\n1\n', [['a'], [''], ['1']]],
    ['a\n \t\n1\n  ', [['a'], ['1']]],
    ['\r\n\n\ra', [['a']]],
    [' a, b\n', [[' a', ' b']]],
    [
      'a,b\n,\n',
      [
        ['a', 'b'],
        ['', ''],
      ],
    ],
  ])('reads %j', (text, rows) => {
    expect(parseCsv(text)).toEqual(rows);
  });

  it.each(['"a', '"a"b', 'x\n"'])('refuses %j', (text) => {
    expect(() => parseCsv(text)).toThrow(/quote/);
  });

  it('reads back whatever is quoted', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', '한') });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns })));
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n', '\r'), (rows, end) => {
        expect(parseCsv(write(rows, end))).toEqual(rows);
      }),
    );
  });
});
