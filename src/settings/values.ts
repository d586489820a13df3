import { isIP } from 'node:net';
import { z } from 'zod';

/** A setting that is present but empty counts as unset, as `NAME=` in an `.env` file means it. */
export const emptyIsUnset = (value: unknown) => (value === '' ? undefined : value);

export const wholeNumber = (bounds: { min: number; max: number; default: number }) =>
  z.preprocess(
    emptyIsUnset,
    z.coerce
      .number('expected a whole number')
      .int('expected a whole number')
      .min(bounds.min)
      .max(bounds.max)
      .default(bounds.default),
  );

export const port = () =>
  z.preprocess(emptyIsUnset, z.coerce.number('expected a port').int('expected a port').min(0).max(65_535).optional());

export const optionalText = () => z.preprocess(emptyIsUnset, z.string().optional());

export const route = () =>
  z.preprocess(emptyIsUnset, z.string().startsWith('/', 'expected a path that begins with "/"').optional());

export const optionalWholeNumber = (bounds: { min: number; max: number }) =>
  z.preprocess(
    emptyIsUnset,
    z.coerce
      .number('expected a whole number')
      .int('expected a whole number')
      .min(bounds.min)
      .max(bounds.max)
      .optional(),
  );

export const list = () =>
  z.preprocess((value) => (typeof value === 'string' ? splitList(value) : value), z.array(z.string()).default([]));

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

const namedProxies = ['loopback', 'linklocal', 'uniquelocal', 'true', 'false', '1', '0'];

export function isProxy(value: string): boolean {
  const [address = '', bits] = value.split('/');
  const family = isIP(address);
  if (family === 0) return bits === undefined && namedProxies.includes(value);
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export const text = (fallback: string) => z.preprocess(emptyIsUnset, z.string().default(fallback));

const flagValues: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  on: true,
  '0': false,
  false: false,
  off: false,
};

export const flag = (fallback = false) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? (flagValues[value.toLowerCase()] ?? emptyIsUnset(value)) : value),
    z.boolean('expected 1 or 0').default(fallback),
  );

export const share = (fallback = 0) =>
  z.preprocess(
    (value) => (value === 'off' ? 0 : emptyIsUnset(value)),
    z.coerce.number('expected a number from 0 to 1, or off').min(0).max(1).default(fallback),
  );

export const url = () =>
  z.preprocess(emptyIsUnset, z.union([z.url({ protocol: /^https?$/ }), z.literal('')]).default(''));

export const oneOf = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.preprocess(emptyIsUnset, z.enum(names).default(names[0]));
