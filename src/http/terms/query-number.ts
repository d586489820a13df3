import { z } from 'zod';

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number in a query, as digits: the empty text is none, and neither is hexadecimal, which `Number` would take. */
export function queryNumber(schema: z.ZodNumber) {
  return z.preprocess((value) => (typeof value === 'string' && decimal.test(value) ? Number(value) : value), schema);
}
