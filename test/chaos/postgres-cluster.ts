import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../helpers/free-port.ts';

const run = promisify(execFile);

/** A Postgres of its own from Debian's package, which may be killed: in a folder that is removed when it is closed. */
export class PostgresCluster {
  readonly url: string;
  readonly #bin: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #user: { readonly uid?: number; readonly gid?: number };
  #server: ChildProcess | undefined;

  private constructor(bin: string, folder: string, port: number, user: { uid?: number; gid?: number }) {
    this.#bin = bin;
    this.#folder = folder;
    this.#port = port;
    this.#user = user;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  /** @param parent folder that it has its own in. @default that for temporary files */
  static async start(parent = tmpdir()): Promise<PostgresCluster> {
    const [newest = ''] = (await readdir('/usr/lib/postgresql')).toSorted((a, b) => Number(b) - Number(a));
    const bin = join('/usr/lib/postgresql', newest, 'bin');
    const folder = await mkdtemp(join(parent, 'inferd-postgres-'));
    const user = await ordinaryUser();
    if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
    const cluster = new PostgresCluster(bin, folder, await freePort(), user);
    const options = ['--auth=trust', '--username=postgres', '--no-sync', '--encoding=UTF8'];
    await run(join(bin, 'initdb'), ['--pgdata', join(folder, 'data'), ...options], user);
    await cluster.restart();
    return cluster;
  }

  /** Starts it, and waits until it answers. */
  async restart(): Promise<void> {
    for (;;) {
      // What is left of one that was killed may keep a new one from starting for a moment.
      if (this.#server === undefined || this.#server.exitCode !== null) this.#spawn();
      if (await this.#answers()) return;
      // Nothing tells when it answers; it can only be asked again.
      await delay(100);
    }
  }

  /** Starts it again whenever it has ended, until the returned function is called. */
  supervise(): () => void {
    const timer = setInterval(() => {
      if (this.#server !== undefined && this.#server.exitCode !== null) this.#spawn();
    }, 1000);
    return () => clearInterval(timer);
  }

  /** Kills the postmaster; its children end when they notice. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }

  async close(): Promise<void> {
    await this.kill();
    // The children of the one that was killed may still write.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #spawn(): void {
    const settings = { port: this.#port, listen_addresses: '127.0.0.1', unix_socket_directories: this.#folder };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#server = spawn(join(this.#bin, 'postgres'), ['-D', join(this.#folder, 'data'), ...options], {
      ...this.#user,
      stdio: 'ignore',
    });
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 1000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT 1');
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** Postgres refuses to run as root. */
async function ordinaryUser(): Promise<{ uid?: number; gid?: number }> {
  if (userInfo().uid !== 0) return {};
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => (await run('id', [flag, 'postgres'])).stdout));
  return { uid: Number(uid), gid: Number(gid) };
}
