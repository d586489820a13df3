import type { DataType } from '../../../../tensor/data-type.ts';

type SmallInteger = 'UINT8' | 'UINT16' | 'UINT32' | 'INT8' | 'INT16' | 'INT32';
type BigInteger = 'INT64' | 'UINT64';

const limits: Readonly<Record<SmallInteger, readonly [number, number]>> = {
  UINT8: [0, 0xff],
  UINT16: [0, 0xffff],
  UINT32: [0, 0xffff_ffff],
  INT8: [-0x80, 0x7f],
  INT16: [-0x8000, 0x7fff],
  INT32: [-0x8000_0000, 0x7fff_ffff],
};

const bigLimits: Readonly<Record<BigInteger, readonly [bigint, bigint]>> = {
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
};

export function isInteger(datatype: DataType): datatype is SmallInteger {
  return Object.hasOwn(limits, datatype);
}

/** The whole part; undefined when the type does not hold it. */
export function toInteger(value: number | bigint, to: SmallInteger): number | undefined {
  const [least, most] = limits[to];
  const whole = typeof value === 'bigint' ? value : Math.trunc(value);
  return whole >= least && whole <= most ? Number(whole) : undefined;
}

/** The whole part; undefined when the type does not hold it. */
export function toBigInteger(value: number | bigint, to: BigInteger): bigint | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined;
  const [least, most] = bigLimits[to];
  const whole = BigInt(typeof value === 'bigint' ? value : Math.trunc(value));
  return whole >= least && whole <= most ? whole : undefined;
}

/** Bits of a 64-bit integer beyond those that a double holds. */
const spareBits = 11n;

/**
 * A big integer as a number that rounds to the same float as the integer itself. For FP32 the bits that a double has no
 * room for are kept as one sticky bit, since to round twice can round the wrong way.
 */
export function bigToNumber(value: bigint, to: DataType): number {
  const size = value < 0n ? -value : value;
  if (to === 'FP64' || size < 2n ** 53n) return Number(value);
  const kept = size >> spareBits;
  const sticky = kept << spareBits === size ? kept : kept | 1n;
  const rounded = Number(sticky) * 2 ** Number(spareBits);
  return value < 0n ? -rounded : rounded;
}
