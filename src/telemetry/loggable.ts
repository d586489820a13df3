const maxElements = 64;
const maxTextLength = 1024;
const maxDepth = 8;

/**
 * A copy of the value that fits a log line: values of redacted fields are hidden wherever they stand, long lists and
 * texts are cut, bytes are only counted, and everything is JSON.
 */
export function loggable(value: unknown, redacted: ReadonlySet<string>, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '…';
  if (value instanceof Uint8Array) return { bytes: value.byteLength };
  if (Symbol.iterator in value) return loggableList(value as Iterable<unknown>, redacted, depth);
  const fields = Object.entries(value).map(([name, field]) => [
    name,
    redacted.has(name) ? '[redacted]' : loggable(field, redacted, depth + 1),
  ]);
  return Object.fromEntries(fields);
}

function loggableList(list: Iterable<unknown>, redacted: ReadonlySet<string>, depth: number): unknown[] {
  const elements: unknown[] = [];
  for (const element of list) {
    if (elements.length === maxElements) return [...elements, '…'];
    elements.push(loggable(element, redacted, depth + 1));
  }
  return elements;
}
