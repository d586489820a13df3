/** What a small field or a small object takes, about. */
export const fieldBytes = 32;

/** About how many bytes a value takes in memory. */
export function valueBytes(value: unknown): number {
  if (typeof value === 'string') return fieldBytes + 2 * value.length;
  if (typeof value !== 'object' || value === null) return fieldBytes;
  if (value instanceof Uint8Array) return fieldBytes + value.byteLength;
  let bytes = fieldBytes;
  for (const member of Object.values(value)) bytes += valueBytes(member);
  return bytes;
}
