import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { setPriority, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../child-environment.ts';
import { AppError } from '../../errors.ts';
import type { DatabaseMessage } from './messages.ts';

/** The program stands beside this file, as TypeScript in the sources and as JavaScript in the package. */
const childPath = fileURLToPath(new URL(`./child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

/** Below the runners: a first start takes seconds of a processor. */
const niceness = 10;
const keptOutputCharacters = 2000;
/** Longest time that its end may take: more than the process itself waits for what it has to write. */
const closeTimeoutMs = 8000;

/** The process of the embedded database, and the folder with its socket. */
export class EmbeddedDatabase {
  readonly #child: ChildProcess;
  /** Folder of the socket, which has the name that the driver looks for. */
  readonly socketDir: string;
  /** Resolves with the reason when the process and the folder of its socket are gone, and all that it told is read. */
  readonly exited: Promise<string>;
  #output = '';

  private constructor(dataDir: string, socketDir: string) {
    this.socketDir = socketDir;
    const socketPath = join(socketDir, '.s.PGSQL.5432');
    this.#child = spawn(process.execPath, [childPath, resolve(dataDir, 'database'), socketPath], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: childEnvironment(process.env),
    });
    this.#child.channel?.unref();
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-keptOutputCharacters);
      });
    }
    const ended = new Promise<string>((settle) => {
      this.#child.once('error', (error) => settle(error.message));
      this.#child.once('exit', (code, signal) => {
        const end = () => settle(`it ended with ${signal ?? `code ${code}`}${this.#lastWords}`);
        // The exit may be heard of before what the process told, which the channel gives before its end.
        if (this.#child.connected) this.#child.once('disconnect', end);
        else end();
      });
    });
    this.exited = ended.finally(() => rm(socketDir, { recursive: true, force: true }));
  }

  /**
   * Starts the database in `database` below `dataDir`, making it if there is none.
   *
   * @param signal kills the process until it is ready. What it was making then is made anew at the next start, and what it
   *   was opening is recovered from its log, as after any crash. @default never
   * @throws AppError `STORAGE_UNAVAILABLE` when the folder is locked or cannot be used; the reason of the signal
   */
  static async start(dataDir: string, signal?: AbortSignal): Promise<EmbeddedDatabase> {
    signal?.throwIfAborted();
    // Short, since the path of a socket may have 107 characters; made so that only this user can enter.
    const database = new EmbeddedDatabase(dataDir, await mkdtemp(join(tmpdir(), 'inferd-')));
    const end = () => database.kill();
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted === true) end();
    try {
      if ((await database.#begin()) === 'listening') return database;
      await database.exited;
    } catch (thrown) {
      await database.exited;
      signal?.throwIfAborted();
      throw thrown;
    } finally {
      signal?.removeEventListener('abort', end);
    }
    return EmbeddedDatabase.start(dataDir, signal);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the process says that it is there: between two statements. */
  async answer(): Promise<void> {
    this.#child.send('are you there?');
    await once(this.#child, 'message');
  }

  /** Lets the process write what it has to, and end; one that does not is ended. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.kill(), closeTimeoutMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #begin(): Promise<'listening' | 'made'> {
    lowerPriority(this.#child.pid);
    const ended = this.exited.then((reason): DatabaseMessage => ({ kind: 'failed', message: reason }));
    const told = once(this.#child, 'message').then(([message]) => message as DatabaseMessage);
    const message = await Promise.race([told, ended]);
    if (message.kind === 'listening' || message.kind === 'made') return message.kind;
    const reason = message.kind === 'failed' ? message.message : 'it has not said so';
    throw new AppError('STORAGE_UNAVAILABLE', {
      message: `The embedded database did not start: ${reason}`,
      retryAfterSeconds: 5,
    });
  }

  get #lastWords(): string {
    return this.#output === '' ? '' : `: ${this.#output.trim()}`;
  }
}

function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already, which is told elsewhere.
  }
}
