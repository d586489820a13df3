/**
 * Every table, by its name. The rows of a slice are described here, made by `migrations/`, and read and written by the
 * `store.ts` of that slice alone.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the first slice brings the first table
export interface Database {}

/** The schema that all tables live in, so that they can share a database with other programs. */
export const schemaName = 'inferd';
