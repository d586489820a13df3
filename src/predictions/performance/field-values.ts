/** A value of a field; null where it is missing. */
export type FieldValue = number | string | boolean | null;

/** Elements of a list that are fields of their own. */
const maxElements = 64;

/** The values of every field, by its path, of several inputs or outputs; the paths of a list are its indices. */
export function columnsOf(rows: readonly unknown[]): ReadonlyMap<string, readonly FieldValue[]> {
  const columns = new Map<string, FieldValue[]>();
  rows.forEach((row, index) => {
    for (const [path, value] of leaves(row, '')) {
      let column = columns.get(path);
      if (column === undefined) {
        column = [];
        columns.set(path, column);
      }
      // Rows before it, and those in between, do not have the field.
      while (column.length < index) column.push(null);
      column.push(value);
    }
  });
  for (const column of columns.values()) while (column.length < rows.length) column.push(null);
  return columns;
}

function* leaves(value: unknown, path: string): Generator<[path: string, value: FieldValue]> {
  if (Array.isArray(value)) {
    if (value.length > maxElements) return;
    for (const [index, element] of value.entries()) yield* leaves(element, join(path, String(index)));
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      // The digest of a file says nothing of how files are distributed.
      if (name !== 'sha256') yield* leaves(field, join(path, name));
    }
  } else {
    yield [path, fieldValue(value)];
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Tensors have NaN, which JSON has no number for, where a number is missing. */
function fieldValue(value: unknown): FieldValue {
  if (value === 'NaN') return null;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null;
}
