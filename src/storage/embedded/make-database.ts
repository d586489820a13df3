import { PGlite } from '@electric-sql/pglite';

/**
 * Makes a new and empty database in a folder that is not there yet; it takes seconds of a processor.
 *
 * @throws what PGlite throws
 */
export async function makeDatabase(dataDir: string): Promise<void> {
  const db = await PGlite.create({ dataDir });
  await db.close();
}
