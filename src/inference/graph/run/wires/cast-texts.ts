import type { DataType } from '../../../../tensor/data-type.ts';
import { isInteger, toBigInteger, toInteger } from './cast-numbers.ts';

const decimal = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const wholeNumber = /^\s*([+-]?)(\d+)\s*$/;
const special = /^\s*([+-]?)(inf|infinity|nan)\s*$/i;

/** Significant digits that ONNX Runtime writes of a float, also of one of double precision. */
const precision = 8;

/** A number as ONNX Runtime writes it: C's `%.8g` for floats; `NaN`, `INF`, `-INF`. */
export function textOf(value: number | bigint | string, from: DataType): string {
  if (typeof value !== 'number' || !isFloat(from)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'INF' : '-INF';
  return generalFormat(value);
}

function isFloat(datatype: DataType): boolean {
  return datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
}

/** As `%g` of C: scientific for small and large ones, without zeros at the end. */
function generalFormat(value: number): string {
  const sign = Object.is(value, -0) || value < 0 ? '-' : '';
  const [digitsOf = '', exponentText = '0'] = roundedToEven(Math.abs(value)).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= precision) {
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${withoutZeros(digitsOf)}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  const plain = digitsOf.replace('.', '');
  if (exponent < 0) return `${sign}${withoutZeros(`0.${'0'.repeat(-exponent - 1)}${plain}`)}`;
  return `${sign}${withoutZeros(`${plain.slice(0, exponent + 1)}.${plain.slice(exponent + 1)}`)}`;
}

const mostDigits = 100;

/** As `toExponential`, but for a number in the middle of two: C takes the even one, JavaScript the larger. */
function roundedToEven(value: number): string {
  const rounded = value.toExponential(precision - 1);
  if (!value.toExponential(precision).includes('5e')) return rounded;
  const [exact = '', exponent = '0'] = value.toExponential(mostDigits).split('e');
  const kept = exact.slice(0, precision + 1);
  const isMiddle = /^50*$/.test(exact.slice(precision + 1));
  return isMiddle && Number(kept.at(-1)) % 2 === 0 ? `${kept}e${exponent}` : rounded;
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0*$/, '') : text;
}

/** The number that a text is, also `INF` and `NaN` in letters of any case; undefined when it is none. */
export function numberOfText(text: string): number | undefined {
  if (decimal.test(text)) return Number(text);
  const [, sign, name] = special.exec(text) ?? [];
  if (name === undefined) return undefined;
  if (name.toLowerCase() === 'nan') return Number.NaN;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

export function integerOfText(text: string, to: DataType): number | undefined {
  const value = numberOfText(text);
  return value === undefined || !isInteger(to) ? undefined : toInteger(value, to);
}

export function bigIntegerOfText(text: string, to: 'INT64' | 'UINT64'): bigint | undefined {
  const [, sign, wholeDigits] = wholeNumber.exec(text) ?? [];
  // A number of thousands of digits would take long to read.
  if (wholeDigits !== undefined && wholeDigits.length <= 1_000) {
    return toBigInteger(sign === '-' ? -BigInt(wholeDigits) : BigInt(wholeDigits), to);
  }
  const value = numberOfText(text);
  return value === undefined ? undefined : toBigInteger(value, to);
}

/** A number as true unless it is 0, and the words `true` and `false`. */
export function booleanOfText(text: string): number | undefined {
  const word = text.trim().toLowerCase();
  if (word === 'true') return 1;
  if (word === 'false') return 0;
  const value = numberOfText(text);
  return value === undefined ? undefined : Number(value !== 0);
}
