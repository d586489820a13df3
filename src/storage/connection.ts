import { Socket } from 'node:net';
import type { Kysely } from 'kysely';
import type { Pool, PoolConfig } from 'pg';
import { type Database, schemaName } from './database.ts';
import { isAnswer } from './storage-error.ts';

/** Where the database is. */
export type Place = { readonly url: string } | { readonly socketDir: string };

/** An open pool of connections, as a query builder and as it is. */
export interface Connection {
  readonly db: Kysely<Database>;
  readonly pool: Pool;
  /** Waits for the queries under way. */
  close(): Promise<void>;
  /** Ends every connection at once: the queries under way fail, and their transactions are undone. */
  terminate(): void;
}

const connectTimeoutMs = 10_000;
/** Longest time that an answer may take. */
const queryTimeoutMs = 60_000;
const poolSize = 10;

/**
 * Opens a pool; nothing is sent before the first query.
 *
 * @param onIdleError told of an error of a connection that is not in use
 */
export async function connect(place: Place, onIdleError: (error: Error) => void): Promise<Connection> {
  const [{ Kysely, PostgresDialect }, { default: pg }] = await Promise.all([import('kysely'), import('pg')]);
  // The driver ends a connection by a message, which one that is silent, or not yet made, never reads.
  const sockets = new Set<Socket>();
  const openSocket = () => {
    const socket = new Socket();
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket));
  };
  const pool = new pg.Pool({ ...poolOptions(place), stream: openSocket });
  pool.on('error', onIdleError);
  // A connection in use reports its error by its query; between two queries nothing would listen.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const close = () => db.destroy();
  const terminate = () => {
    close().catch(() => {});
    for (const socket of sockets) socket.destroy();
  };
  return { db: db.withSchema(schemaName), pool, close, terminate };
}

/** Resolves when a Postgres answers a new connection, be it with a refusal: one that is only slow, or has no room, does. */
export async function answer(url: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    connectionString: url,
    application_name: 'inferd probe',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (thrown) {
    if (!isAnswer(thrown)) throw thrown;
  } finally {
    client.end().catch(() => {});
  }
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
