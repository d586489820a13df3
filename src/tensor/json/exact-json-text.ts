/**
 * JSON as `JSON.stringify` writes it, but with every digit of a `bigint`, and `-0.0` for -0: what
 * `readExactJson` reads is written so that it reads the same again.
 *
 * @param space of indentation. Default: none
 */
export function exactJsonText(value: unknown, space?: number): string {
  return JSON.stringify(value, (_key, member: unknown) => exactNumber(member), space) ?? 'null';
}

/** What `JSON.stringify` writes of a `bigint` or of -0 so that it is read the same again; any other value as it is. */
export function exactNumber(value: unknown): unknown {
  if (typeof value === 'bigint') return JSON.rawJSON(String(value));
  return Object.is(value, -0) ? JSON.rawJSON('-0.0') : value;
}
