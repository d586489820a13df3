/** Rows, some at a time. */
export type Pages<Row> = AsyncIterable<readonly Row[]>;

/** A column of a table that is written: its name, its type, and where its value is in a row; null for none. */
export type Column<Row> = {
  readonly name: string;
} & (
  | { readonly type: 'STRING'; read(row: Row): string | null }
  /** The text of a value as JSON. */
  | { readonly type: 'JSON'; read(row: Row): string | null }
  | { readonly type: 'DOUBLE' | 'INT32'; read(row: Row): number | null }
  | { readonly type: 'TIMESTAMP'; read(row: Row): Date | null }
);
