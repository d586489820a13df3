import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import { hideFolders, toAppError } from '../errors.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { backoffMs } from './backoff.ts';
import { answer, type Connection, connect } from './connection.ts';
import type { Database } from './database.ts';
import { EmbeddedDatabase } from './embedded/embedded-database.ts';
import { migrate } from './migrate.ts';
import {
  breaksEmbedded,
  damageAdvice,
  isWaitForConnection,
  reasonOf,
  showsDamage,
  storageUnavailable,
  toStorageError,
  troubleOf,
} from './storage-error.ts';
import { whileSlow } from './while-slow.ts';

/** How long something may take before the database is asked whether it is still there. */
const doubtAfterMs = 5000;
/** How long a database that is there may take to say so; the embedded one cannot during a statement. */
const answerWithinMs = { postgres: 5000, embedded: 25_000 };
/** Longest wait at the end for the queries under way. */
const closeTimeoutMs = 5000;

export interface StorageOptions {
  /** Postgres; undefined: the embedded database. */
  readonly databaseUrl: string | undefined;
  /** Folder of the embedded database, and of files. */
  readonly dataDir: string;
}

export interface StorageDependencies {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

export type StorageState = 'starting' | 'ready' | 'unavailable' | 'closed';

/** What the storage is used by. */
export interface OpenStorage {
  readonly db: Kysely<Database>;
  /** For libraries that bring their own statements. */
  readonly pool: Pool;
}

/**
 * Where everything lasting is kept. It starts beside the server, is mended while the server goes on, and throws
 * `STORAGE_UNAVAILABLE` meanwhile: nothing waits for it unless it wants to.
 */
export class Storage {
  /** Whether the database is this server's own; if not, other processes may work on it as well. */
  readonly isEmbedded: boolean;
  readonly dataDir: string;
  readonly #options: StorageOptions;
  readonly #dependencies: StorageDependencies;
  readonly #readyListeners = new Set<() => void>();
  #state: StorageState = 'starting';
  #reason = 'it is starting';
  #connection: Connection | undefined;
  #embedded: EmbeddedDatabase | undefined;
  /** The end of the processes that were given up. */
  #abandoned: Promise<unknown> = Promise.resolve();
  readonly #closing = new AbortController();
  #opening: Promise<void> | undefined;
  /** Starts of parts that work with the storage. */
  readonly #starts = new Set<Promise<unknown>>();
  #asking: Promise<void> | undefined;
  #failures = 0;
  #cancelRetry = () => {};

  constructor(options: StorageOptions, dependencies: StorageDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.isEmbedded = options.databaseUrl === undefined;
    this.dataDir = options.dataDir;
  }

  get state(): StorageState {
    return this.#state;
  }

  /** Why it is not ready, in words; undefined when it is. */
  get reason(): string | undefined {
    return this.#state === 'ready' ? undefined : this.#reason;
  }

  /** Process of the embedded database; undefined without one. */
  get pid(): number | undefined {
    return this.#embedded?.pid;
  }

  /** Opens the database behind the caller's back, and again whenever it is lost. */
  start(): void {
    if (this.#state === 'closed' || this.#opening !== undefined) return;
    this.#opening = this.#open().finally(() => {
      this.#opening = undefined;
    });
  }

  /** Resolves when the start that is under way, if any, has ended: the storage is ready then, or it is not there. */
  async opened(): Promise<void> {
    await this.#opening;
  }

  /**
   * The database.
   *
   * @throws AppError `STORAGE_UNAVAILABLE` while it is not ready
   */
  get open(): OpenStorage {
    return this.#ready;
  }

  /**
   * Works with the database. What shows that it is gone makes the storage look for it again, and so does its silence: who
   * waits for a database that says nothing any more is told within ten seconds, or thirty where it is embedded.
   *
   * @throws AppError `STORAGE_UNAVAILABLE`, `STORAGE_FULL`; other errors of the statements pass as they are
   */
  async use<Result>(work: (storage: OpenStorage) => Promise<Result>): Promise<Result> {
    const connection = this.#ready;
    const { clock } = this.#dependencies;
    const onSlow = () => this.#doubt(connection);
    try {
      return await whileSlow(work(connection), { everyMs: doubtAfterMs, onSlow, clock });
    } catch (thrown) {
      if (this.#showsLoss(thrown)) this.#lose(connection, thrown);
      throw toStorageError(thrown);
    }
  }

  /**
   * Waits for the start of a part that works with the storage, such as that of its tables. {@link close} does not wait for
   * what it does, which must leave nothing half done.
   */
  async starting<Result>(start: Promise<Result>): Promise<Result> {
    this.#starts.add(start);
    try {
      return await start;
    } finally {
      this.#starts.delete(start);
    }
  }

  /** Calls back whenever the storage becomes ready, and now if it is; the returned function ends that. */
  onReady(listener: () => void): () => void {
    this.#readyListeners.add(listener);
    if (this.#state === 'ready') listener();
    return () => void this.#readyListeners.delete(listener);
  }

  /** Resolves when the storage is ready for the first time from now on. */
  whenReady(): Promise<void> {
    return new Promise((resolve) => {
      const off = this.onReady(() => {
        queueMicrotask(() => off());
        resolve();
      });
    });
  }

  /** Ends a start at once, also that of a part. Else waits for the queries under way, some seconds at most, and ends the embedded database. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#reason = 'the server is shutting down';
    this.#cancelRetry();
    this.#closing.abort(storageUnavailable(this.#reason));
    if (this.#opening !== undefined) this.#connection?.terminate();
    await this.#opening;
    if (this.#starts.size > 0) this.#abandon();
    await this.#abandoned;
    const connection = this.#connection;
    const cancel = this.#dependencies.clock.setTimer(closeTimeoutMs, () => connection?.terminate());
    await connection?.close().catch(() => {});
    cancel();
    await this.#embedded?.close();
  }

  get #ready(): Connection {
    if (this.#state === 'ready' && this.#connection !== undefined) return this.#connection;
    throw storageUnavailable(hideFolders(this.#reason));
  }

  async #open(): Promise<void> {
    const { clock, log } = this.#dependencies;
    const startedMs = clock.now();
    const { signal } = this.#closing;
    try {
      this.#connection = await this.#connect(signal);
      signal.throwIfAborted();
      await migrate(this.#connection.db);
    } catch (thrown) {
      this.#abandon();
      this.#retryLater(this.#withAdvice(thrown));
      return;
    }
    if (this.#state === 'closed') return;
    this.#failures = 0;
    this.#state = 'ready';
    log.info({ storage: this.#place, open_ms: Math.round(clock.now() - startedMs) }, 'Storage ready');
    for (const listener of this.#readyListeners) listener();
  }

  /** A database that starts may still be damaged further in. */
  #withAdvice(thrown: unknown): unknown {
    if (!this.isEmbedded || !showsDamage(thrown)) return thrown;
    return storageUnavailable(`${this.dataDir}/database is damaged (${reasonOf(thrown)}); ${damageAdvice}`, thrown);
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    const { databaseUrl, dataDir } = this.#options;
    const onIdleError = (error: Error) => {
      if (this.#connection === connection) this.#lose(connection, error);
    };
    if (databaseUrl === undefined) this.#embedded = await this.#startEmbedded(dataDir, signal);
    const place = this.#embedded ?? { url: databaseUrl ?? '' };
    const connection = await connect(place, onIdleError);
    return connection;
  }

  async #startEmbedded(dataDir: string, signal: AbortSignal): Promise<EmbeddedDatabase> {
    const embedded = await EmbeddedDatabase.start(dataDir, signal);
    void embedded.exited.then((reason) => {
      const connection = this.#connection;
      if (this.#embedded !== embedded || connection === undefined) return;
      this.#lose(connection, new Error(`the embedded database is gone: ${reason}`));
    });
    return embedded;
  }

  #showsLoss(thrown: unknown): boolean {
    if (!this.isEmbedded) return troubleOf(thrown) === 'unavailable';
    // It makes those who ask wait when it is busy: that is told by time, and no sign of its end.
    return breaksEmbedded(thrown) || (troubleOf(thrown) === 'unavailable' && !isWaitForConnection(thrown));
  }

  /** A caller cannot tell a database that is busy from one that has ended without closing its connections. */
  #doubt(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#asking ??= this.#ask()
      .catch((thrown: unknown) => this.#lose(connection, thrown))
      .finally(() => {
        this.#asking = undefined;
      });
  }

  async #ask(): Promise<void> {
    const silence = Promise.withResolvers<never>();
    const delayMs = this.isEmbedded ? answerWithinMs.embedded : answerWithinMs.postgres;
    const cancel = this.#dependencies.clock.setTimer(delayMs, () => {
      silence.reject(new Error('the database does not answer'));
    });
    const answered = this.#embedded?.answer() ?? answer(this.#options.databaseUrl ?? '');
    try {
      await Promise.race([answered, silence.promise]);
    } finally {
      cancel();
    }
  }

  /** The database was there, and is not any more. */
  #lose(connection: Connection, thrown: unknown): void {
    if (this.#state !== 'ready' || this.#connection !== connection) return;
    this.#abandon();
    this.#retryLater(thrown);
  }

  #retryLater(thrown: unknown): void {
    if (this.#state === 'closed') return;
    const { clock, log } = this.#dependencies;
    this.#failures += 1;
    this.#state = 'unavailable';
    this.#reason = reasonOf(thrown);
    const delayMs = backoffMs(this.#failures);
    log.warn({ err: toAppError(thrown), retry_ms: delayMs }, 'The storage cannot be used');
    this.#cancelRetry = clock.setTimer(delayMs, () => this.start());
  }

  /** Lets go of a database that cannot be used: nothing is waited for. */
  #abandon(): void {
    this.#embedded?.kill();
    this.#abandoned = Promise.all([this.#abandoned, this.#embedded?.exited]);
    this.#connection?.terminate();
    this.#connection = undefined;
    this.#embedded = undefined;
  }

  get #place(): string {
    return this.isEmbedded ? `embedded in ${this.dataDir}` : 'Postgres';
  }
}
