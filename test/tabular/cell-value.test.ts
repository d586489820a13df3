import { describe, expect, it } from 'vitest';
import { isNumber, readNumber, readTruth, readWholeNumber } from '../../src/tabular/cell-value.ts';

// What pandas 3.1.1 reads with the types float64, int64 and bool; undefined where it makes a text of the column, or fails.
const cells: [cell: string, number: number | undefined, whole: number | bigint | undefined][] = [
  ['1', 1, 1],
  ['+1', 1, 1],
  ['-0', -0, 0],
  ['-0.0', -0, 0],
  ['00012', 12, 12],
  [' 1', 1, 1],
  ['1 ', 1, 1],
  ['\t1', 1, 1],
  ['1.0', 1, 1],
  ['5.', 5, 5],
  ['.5', 0.5, undefined],
  ['1.5', 1.5, undefined],
  ['0.1e1', 1, 1],
  ['1e3', 1000, 1000],
  ['1E+5', 100_000, 100_000],
  ['1200e-2', 12, 12],
  ['1201e-2', 12.01, undefined],
  ['1e-400', 0, undefined],
  ['-9007199254740993', -9007199254740992, -9007199254740993n],
  ['9007199254740993.0', 9007199254740992, 9007199254740993n],
  ['9223372036854775807', 2 ** 63, 9223372036854775807n],
  ['18446744073709551615', 2 ** 64, 18446744073709551615n],
  ...['', 'NA', 'N/A', 'n/a', '#N/A', 'NaN', 'nan', '-nan', 'null', 'NULL', 'None', '<NA>'].map(
    (missing): [string, number, undefined] => [missing, Number.NaN, undefined],
  ),
  ['inf', Number.POSITIVE_INFINITY, undefined],
  ['+Infinity', Number.POSITIVE_INFINITY, undefined],
  ['-INF', Number.NEGATIVE_INFINITY, undefined],
  ...[
    ' ',
    '  nan',
    ' NA ',
    'NAN',
    '+nan',
    'infinity ',
    '0x10',
    '0b1',
    '0o7',
    '1_000',
    '1e',
    'e5',
    '.',
    '-',
    '',
    '1d5',
    '1f',
  ]
    .filter((text) => text !== '')
    .map((text): [string, undefined, undefined] => [text, undefined, undefined]),
  ...['1.5.2', '1,5', '1\u00a0', '\u0661', 'yes', 'true', '1n', '--1', '1e1.5'].map(
    (text): [string, undefined, undefined] => [text, undefined, undefined],
  ),
];

describe('a cell', () => {
  it.each(cells)('%j is the number %s and the whole number %s', (cell, number, whole) => {
    expect(readNumber(cell)).toBe(number);
    expect(readWholeNumber(cell)).toBe(whole);
  });

  it.each(['1e999', '-1e400', '1.7976931348623159e308'])('%s is a number that no double holds', (cell) => {
    expect(isNumber(cell)).toBe(true);
    expect(readNumber(cell)).toBeUndefined();
    expect(readWholeNumber(cell)).toBeUndefined();
  });

  it.each([
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['false', false],
    ['FALSE', false],
    ['1', true],
    ['0', false],
    ['1.0', true],
    ['2', undefined],
    ['yes', undefined],
    ['', undefined],
    [' true', undefined],
  ])('%j is the truth value %s', (cell, truth) => {
    expect(readTruth(cell)).toBe(truth);
  });

  it('is read in a time that grows no faster than its length', () => {
    const long = `1${'0'.repeat(1_000_000)}`;
    for (const cell of [`${long}x`, `${long}1`, `${long}e`, `1e${long}`, `${' '.repeat(1_000_000)}x`]) {
      expect(readWholeNumber(cell)).toBeUndefined();
      expect(readNumber(cell)).toBeUndefined();
    }
  });
});
