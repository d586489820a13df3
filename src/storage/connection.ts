import type { Kysely } from 'kysely';
import type { Pool, PoolConfig } from 'pg';
import { type Database, schemaName } from './database.ts';

/** Where the database is. */
export type Place = { readonly url: string } | { readonly socketDir: string };

/** An open pool of connections, as a query builder and as it is. */
export interface Connection {
  readonly db: Kysely<Database>;
  readonly pool: Pool;
  /** Waits for the queries under way. */
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;
/** Longest time that an answer may take; a network that swallows packets is noticed by it. */
const queryTimeoutMs = 60_000;
const poolSize = 10;

/**
 * Opens a pool; nothing is sent before the first query.
 *
 * @param onIdleError told of an error of a connection that nobody is using
 */
export async function connect(place: Place, onIdleError: (error: Error) => void): Promise<Connection> {
  const [{ Kysely, PostgresDialect }, { default: pg }] = await Promise.all([import('kysely'), import('pg')]);
  const pool = new pg.Pool(poolOptions(place));
  pool.on('error', onIdleError);
  // Whoever uses a connection is told by its queries; between two of them nobody would listen.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return { db: db.withSchema(schemaName), pool, close: () => db.destroy() };
}

function poolOptions(place: Place): PoolConfig {
  const shared = {
    application_name: 'inferd',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
  };
  if ('url' in place) return { ...shared, connectionString: place.url, max: poolSize };
  // The embedded database has one session: statements and transactions of several connections would run into each other.
  return { ...shared, host: place.socketDir, user: 'postgres', database: 'postgres', max: 1, idleTimeoutMillis: 0 };
}
