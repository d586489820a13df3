import { z } from 'zod';

type JsonSchema = { type?: string | string[]; anyOf?: JsonSchema[]; properties?: Record<string, JsonSchema> };

/**
 * A function that turns the texts of an HTML form into what the schema's fields are: numbers and booleans where the
 * schema has them, and nothing where a field was left empty. A text that does not fit stays, for validation to name.
 */
export function formCoercion(input: z.ZodType): (form: Readonly<Record<string, unknown>>) => Record<string, unknown> {
  const { properties = {} } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const coercions = new Map(Object.entries(properties).map(([name, schema]) => [name, coercionFor(typesOf(schema))]));
  return (form) => {
    const filled = Object.entries(form).filter(([, value]) => value !== '');
    return Object.fromEntries(filled.map(([name, value]) => [name, coercions.get(name)?.(value) ?? value]));
  };
}

function typesOf(schema: JsonSchema): Set<string> {
  const own = [schema.type ?? []].flat();
  const alternatives = schema.anyOf?.flatMap((alternative) => [...typesOf(alternative)]) ?? [];
  return new Set([...own, ...alternatives]);
}

function coercionFor(types: ReadonlySet<string>): (value: unknown) => unknown {
  const isNumeric = types.has('number') || types.has('integer');
  if (isNumeric) return types.has('string') ? toExactNumber : toNumber;
  if (types.has('boolean')) return toBoolean;
  return (value) => value;
}

function toNumber(value: unknown): unknown {
  if (typeof value !== 'string' || value.trim() === '') return value;
  const number = Number(value);
  return Number.isNaN(number) ? value : number;
}

/** Digits stay a text that a number would not hold, where the schema takes both. */
function toExactNumber(value: unknown): unknown {
  const number = toNumber(value);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? value : number;
}

function toBoolean(value: unknown): unknown {
  if (value === 'true' || value === 'on' || value === '1') return true;
  return value === 'false' || value === 'off' || value === '0' ? false : value;
}
