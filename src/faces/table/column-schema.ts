import { z } from 'zod';
import type { DataType } from '../../tensor/data-type.ts';
import { invalidFace } from '../face-faults.ts';
import type { Column } from './columns.ts';

/** A value of a record as an encoder takes it; 64-bit integers beyond 2^53 are texts. */
export type Cell = number | string | boolean;

type ColumnType = NonNullable<Column['settings']['type']>;

const greatestFloat32 = (2 - 2 ** -23) * 2 ** 127;

const integerBits: Partial<Record<DataType, { readonly bits: number; readonly isSigned: boolean }>> = {
  INT8: { bits: 8, isSigned: true },
  INT16: { bits: 16, isSigned: true },
  INT32: { bits: 32, isSigned: true },
  INT64: { bits: 64, isSigned: true },
  UINT8: { bits: 8, isSigned: false },
  UINT16: { bits: 16, isSigned: false },
  UINT32: { bits: 32, isSigned: false },
  UINT64: { bits: 64, isSigned: false },
};

/** What a column of that data type is, where nothing is said; undefined for one that no record has. */
export function usualType(datatype: DataType): ColumnType | undefined {
  if (datatype === 'FP32' || datatype === 'FP64') return 'number';
  if (datatype === 'BYTES') return 'string';
  if (datatype === 'BOOL') return 'boolean';
  return integerBits[datatype] === undefined ? undefined : 'integer';
}

/**
 * Validates and documents the values of a column.
 *
 * @throws AppError `FACE_INVALID` for a column that cannot be what its settings say
 */
export function columnSchema({ name, datatype, settings }: Column): z.ZodType {
  const at = `face.columns.${name}`;
  const usual = usualType(datatype);
  const type = settings.type ?? usual;
  const isNumeric = type === 'number' || type === 'integer';
  if (usual === undefined || type === undefined) {
    throw invalidFace([`${at}: values of ${datatype} cannot be sent in records`]);
  }
  if (type !== usual && !(type === 'integer' && usual === 'number')) {
    throw invalidFace([`${at}.type: the model takes ${datatype}, which is ${usual}, not ${type}`]);
  }
  if ((settings.min !== undefined || settings.max !== undefined) && !isNumeric) {
    throw invalidFace([`${at}: min and max are for numbers`]);
  }
  if (settings.missing === 'nan' && usual !== 'number') {
    throw invalidFace([`${at}.missing: ${datatype} has no NaN; give a default instead`]);
  }
  const { description, default: fallback, missing, values } = settings;
  const value = withValues(ofType(type, datatype, settings), values);
  const checked = fallback === undefined ? undefined : value.safeParse(fallback);
  if (checked?.success === false) {
    throw invalidFace([`${at}.default: ${checked.error.issues.map(({ message }) => message).join('; ')}`]);
  }
  const stand = checked?.data ?? (missing === 'nan' ? Number.NaN : undefined);
  const documented = description === undefined ? value : value.describe(description);
  if (stand === undefined) return documented;
  return documented.nullish().transform((given) => given ?? stand);
}

function ofType(type: ColumnType, datatype: DataType, { min, max }: Column['settings']): z.ZodType<Cell> {
  switch (type) {
    case 'string':
      return z.string().refine(isStorable, 'Expected a text without NUL and without half a surrogate pair');
    case 'boolean':
      return z.boolean();
    case 'number':
      return bounded(
        datatype === 'FP32' ? z.number().min(-greatestFloat32).max(greatestFloat32) : z.number(),
        min,
        max,
      );
    case 'integer':
      return integer(datatype, min, max);
  }
}

/** ONNX Runtime takes C strings of UTF-8. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function bounded(schema: z.ZodNumber, min: number | undefined, max: number | undefined): z.ZodNumber {
  const above = min === undefined ? schema : schema.min(min);
  return max === undefined ? above : above.max(max);
}

function integer(datatype: DataType, min: number | undefined, max: number | undefined): z.ZodType<Cell> {
  const { bits, isSigned } = integerBits[datatype] ?? { bits: 53, isSigned: true };
  const least = isSigned ? -(2n ** BigInt(bits - 1)) : 0n;
  const greatest = 2n ** BigInt(isSigned ? bits - 1 : bits) - 1n;
  if (bits < 53) return bounded(z.int().min(Number(least)).max(Number(greatest)), min, max);
  const number = bounded(isSigned ? z.int() : z.int().min(0), min, max);
  if (bits === 53 || min !== undefined || max !== undefined) return number;
  const text = z
    .string()
    .regex(/^-?[0-9]{1,20}$/)
    .refine((digits) => BigInt(digits) >= least && BigInt(digits) <= greatest);
  return z.union([number, text], 'Expected a whole number, or its digits as a text beyond 2^53');
}

function withValues(schema: z.ZodType<Cell>, values: readonly Cell[] | undefined): z.ZodType<Cell> {
  if (values === undefined) return schema;
  const strange = values.filter((value) => !schema.safeParse(value).success);
  if (strange.length > 0) {
    throw invalidFace([
      `face.columns: the values ${strange.map((value) => JSON.stringify(value)).join(', ')} do not fit`,
    ]);
  }
  return z.literal([...values]);
}
