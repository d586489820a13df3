import type { Kysely, Migration } from 'kysely';
import { type Database, schemaName } from './database.ts';

/**
 * Brings the tables up to date, under a lock that other processes on the same database wait for. A step that fails
 * leaves everything as it was.
 *
 * @param upTo name of the last migration to run. @default the last there is
 * @throws what the database throws
 */
export async function migrate(db: Kysely<Database>, upTo?: string): Promise<void> {
  const [{ Migrator }, { migrations }] = await Promise.all([import('kysely'), import('./migrations/migrations.ts')]);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async (): Promise<Record<string, Migration>> => ({ ...migrations }) },
    migrationTableSchema: schemaName,
  });
  const { error } = upTo === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(upTo);
  if (error !== undefined) throw error;
}
