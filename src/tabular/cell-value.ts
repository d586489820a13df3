/*
 * What the text of a cell stands for: what `read_csv` of pandas makes of it
 * (https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html).
 */

/** The texts that pandas takes for a missing value by default. */
const missingTexts: ReadonlySet<string> = new Set([
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>', 'N/A', 'NA'],
  ...['NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
]);

/** Decimal, with spaces and tabs around it; `Number` would also take hexadecimal and other white space. */
const decimal = /^[ \t]*([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?[ \t]*$/;
const infinity = /^([+-]?)inf(?:inity)?$/i;

/** UINT64 has 20 digits; what has more fits no type, and would be slow to make. */
const maxDigits = 20;

export function isMissing(cell: string): boolean {
  return missingTexts.has(cell);
}

/** Whether the cell is a number, whatever its size. */
export function isNumber(cell: string): boolean {
  return decimal.test(cell) || infinity.test(cell);
}

/** The number, NaN for a missing value; undefined for what is none, also for what is beyond a double and not infinite. */
export function readNumber(cell: string): number | undefined {
  if (decimal.test(cell)) {
    const value = Number(cell);
    return Number.isFinite(value) ? value : undefined;
  }
  if (isMissing(cell)) return Number.NaN;
  const sign = infinity.exec(cell)?.[1];
  if (sign === undefined) return undefined;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** The whole number with every digit, also when it is written as `5.0` or `5e3`; undefined for what is none. */
export function readWholeNumber(cell: string): number | bigint | undefined {
  const parts = decimal.exec(cell);
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = parts[4] ?? '', , exponent = '0'] = parts;
  const significant = (whole + fraction).replace(/^0+/, '');
  const digits = withoutZerosAtEnd(significant);
  const zeros = significant.length - digits.length + Number(exponent) - fraction.length;
  if (digits === '') return 0;
  if (zeros < 0 || digits.length + zeros > maxDigits) return undefined;
  const value = BigInt(sign + digits + '0'.repeat(zeros));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function withoutZerosAtEnd(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** `true` and `false` in any case, and the numbers 1 and 0; undefined for what is neither. */
export function readTruth(cell: string): boolean | undefined {
  if (/^true$/i.test(cell)) return true;
  if (/^false$/i.test(cell)) return false;
  const value = readWholeNumber(cell);
  return value === 0 || value === 1 ? value === 1 : undefined;
}
