import type { SlicedWork } from '../../timing/sliced-work.ts';
import type { DataType } from '../data-type.ts';
import { type Tensor, text, zeros } from '../tensor.ts';
import { refuseInexact, refuseKind, refuseRange } from './refuse-element.ts';

/** Lists of elements that follow each other in row-major order. */
export interface ElementRows {
  /** The input that they are of. */
  readonly name: string;
  readonly rows: readonly (readonly unknown[])[];
  /** Where the client put the element of this index. */
  readonly pathOf: (index: number) => readonly (string | number)[];
}

/** The whole numbers of each type that a JavaScript number holds exactly; INT64 and UINT64 reach further by `bigint`. */
const wholeRanges = {
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

const bigRanges = {
  UINT64: [0n, 2n ** 64n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

type BigType = keyof typeof bigRanges;
type SmallType = Exclude<keyof typeof wholeRanges, BigType>;

const greatestFloats = { FP16: 65504, FP32: (2 - 2 ** -23) * 2 ** 127, FP64: Number.MAX_VALUE } as const;

/** The least magnitude that would round to infinity: half a step beyond the greatest finite number. */
const overflows = { FP16: 65520, FP32: 2 ** 128 - 2 ** 103, FP64: Number.POSITIVE_INFINITY } as const;

type FloatType = keyof typeof overflows;

/** Numbers that JSON has no token for, as the JSON form of protocol buffers spells them; orjson writes NaN as `null`. */
const spelledNumbers: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  [null, Number.NaN],
]);

/** So many elements are written before others may go on. */
const elementsPerStep = 16_384;

/**
 * A tensor of parsed JSON values. A row of numbers is checked by one loop and then copied natively.
 *
 * @param elements as many as the shape says
 * @throws AppError `MALFORMED_TENSOR` for the first element that the type cannot hold as it is
 */
export function* tensorFromRows(
  datatype: DataType,
  shape: readonly number[],
  elements: ElementRows,
): SlicedWork<Tensor> {
  const { tensor, write } = rowWriter(datatype, shape, elements);
  let offset = 0;
  let sinceYield = 0;
  for (const row of elements.rows) {
    if (sinceYield >= elementsPerStep) {
      yield undefined;
      sinceYield = 0;
    }
    write(row, offset);
    offset += row.length;
    sinceYield += row.length + 1;
  }
  return tensor;
}

/** Checks a row, and writes it from that element of the tensor on. */
type WriteRow = (row: readonly unknown[], offset: number) => void;

function rowWriter(
  datatype: DataType,
  shape: readonly number[],
  elements: ElementRows,
): { readonly tensor: Tensor; readonly write: WriteRow } {
  if (datatype === 'BYTES') {
    const texts: string[] = [];
    return { tensor: text(shape, texts), write: textWriter(texts, elements) };
  }
  const tensor = zeros(datatype, shape);
  switch (tensor.datatype) {
    case 'BYTES':
      return { tensor, write: textWriter([], elements) };
    case 'BOOL':
      return { tensor, write: booleanWriter(tensor.data, elements) };
    case 'FP16':
      return { tensor, write: floatWriter(new Float16Array(tensor.data.buffer), tensor.datatype, elements) };
    case 'FP32':
    case 'FP64':
      return { tensor, write: floatWriter(tensor.data, tensor.datatype, elements) };
    case 'INT64':
    case 'UINT64':
      return { tensor, write: bigNumberWriter(tensor.data, tensor.datatype, elements) };
    default:
      return { tensor, write: wholeNumberWriter(tensor.data, tensor.datatype, elements) };
  }
}

type SmallArray = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array;

function wholeNumberWriter(data: SmallArray, datatype: SmallType, elements: ElementRows): WriteRow {
  const [least, greatest] = wholeRanges[datatype];
  return (row, offset) => {
    if (!areWholeNumbers(row, least, greatest)) {
      const index = row.findIndex((element) => !areWholeNumbers([element], least, greatest));
      throw refuseWholeNumber(elements, offset + index, { datatype, element: row[index] });
    }
    data.set(row, offset);
  };
}

// The checks walk by iterator, and never load by index: see `firstOf` in json-codec.ts.

function areWholeNumbers(row: readonly unknown[], least: number, greatest: number): row is readonly number[] {
  for (const element of row) {
    if (typeof element !== 'number' || !Number.isInteger(element) || element < least || element > greatest)
      return false;
  }
  return true;
}

function bigNumberWriter(data: BigInt64Array | BigUint64Array, datatype: BigType, elements: ElementRows): WriteRow {
  const [least, greatest] = wholeRanges[datatype];
  const [leastBig, greatestBig] = bigRanges[datatype];
  return (row, offset) => {
    let index = offset;
    for (const element of row) {
      if (typeof element === 'number' && Number.isInteger(element) && element >= least && element <= greatest) {
        data[index] = BigInt(element);
      } else if (typeof element === 'bigint' && element >= leastBig && element <= greatestBig) {
        data[index] = element;
      } else {
        throw refuseWholeNumber(elements, index, { datatype, element });
      }
      index++;
    }
  };
}

function refuseWholeNumber(
  { name, pathOf }: ElementRows,
  index: number,
  { datatype, element }: { datatype: SmallType | BigType; element: unknown },
) {
  const place = { name, path: pathOf(index) };
  const isWhole = typeof element === 'bigint' || Number.isInteger(element);
  if (!isWhole) return refuseKind(place, element, `a whole number (${datatype})`);
  const [least, greatest] = datatype === 'INT64' || datatype === 'UINT64' ? bigRanges[datatype] : wholeRanges[datatype];
  const value = Number(element);
  if (value >= least && value <= greatest) return refuseInexact(place, element, datatype);
  return refuseRange(place, element, { datatype, least, greatest });
}

type FloatArray = Float16Array | Float32Array | Float64Array;

function floatWriter(data: FloatArray, datatype: FloatType, elements: ElementRows): WriteRow {
  return (row, offset) => {
    if (areFloats(row, overflows[datatype])) data.set(row, offset);
    else data.set(readFloats(row, offset, { datatype, elements }), offset);
  };
}

function areFloats(row: readonly unknown[], overflow: number): row is readonly number[] {
  for (const element of row) {
    if (typeof element !== 'number') return false;
    if ((element >= overflow || element <= -overflow) && Number.isFinite(element)) return false;
  }
  return true;
}

/** The numbers of a row that also has numbers spelled out, or whole numbers beyond 2^53. */
function readFloats(
  row: readonly unknown[],
  offset: number,
  { datatype, elements: { name, pathOf } }: { datatype: FloatType; elements: ElementRows },
): number[] {
  return row.map((element, index) => {
    const value =
      typeof element === 'number' || typeof element === 'bigint' ? Number(element) : spelledNumbers.get(element);
    const place = () => ({ name, path: pathOf(offset + index) });
    if (value === undefined) throw refuseKind(place(), element, `a number (${datatype})`);
    const greatest = greatestFloats[datatype];
    if (!areFloats([value], overflows[datatype])) {
      throw refuseRange(place(), element, { datatype, least: -greatest, greatest });
    }
    return value;
  });
}

function booleanWriter(data: Uint8Array, { name, pathOf }: ElementRows): WriteRow {
  return (row, offset) => {
    let index = offset;
    for (const element of row) {
      if (typeof element !== 'boolean')
        throw refuseKind({ name, path: pathOf(index) }, element, 'true or false (BOOL)');
      data[index] = element ? 1 : 0;
      index++;
    }
  };
}

function textWriter(texts: string[], { name, pathOf }: ElementRows): WriteRow {
  return (row) => {
    for (const element of row) {
      const isText = typeof element === 'string';
      // The runtime takes C strings of UTF-8: it would cut a text at a NUL, and replace half a surrogate pair.
      if (!isText || element.includes('\0') || !element.isWellFormed()) {
        const expected = isText ? 'a text without NUL and lone surrogates (BYTES)' : 'a text (BYTES)';
        throw refuseKind({ name, path: pathOf(texts.length) }, element, expected);
      }
      texts.push(element);
    }
  };
}
