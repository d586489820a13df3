import { type RawBuilder, sql } from 'kysely';
import type { SqlType } from './leased-table.ts';

/**
 * Rows of values as a table `given` of a statement: one parameter a column, so that the text of the statement is the same
 * for any number of rows.
 */
export function givenRows<Column extends string>(
  rows: readonly Readonly<Record<Column, unknown>>[],
  types: Readonly<Record<Column, SqlType>>,
): RawBuilder<unknown> {
  const columns = columnsOf(types);
  const arrays = columns.map((column) => {
    const values = rows.map((row) => row[column] ?? null);
    return sql`${values}::${sql.raw(types[column])}[]`;
  });
  return sql`unnest(${sql.join(arrays)}) AS given (${sql.join(columns.map((column) => sql.id(column)))})`;
}

/** The names of columns, in order. */
export function columnsOf<Column extends string>(types: Readonly<Partial<Record<Column, unknown>>>): Column[] {
  const names: Column[] = [];
  for (const name in types) names.push(name);
  return names;
}
