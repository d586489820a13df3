import type { PoolClient } from 'pg';
import { toAppError } from '../errors.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { backoffMs } from './backoff.ts';
import type { Storage } from './storage.ts';

export interface ListenerOptions {
  readonly storage: Storage;
  /** Name of the channel: letters and underscores. */
  readonly channel: string;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: Pick<Log, 'warn'>;
  readonly onMessage: (text: string) => void;
  /** Called whenever it begins to hear: what was told before is lost. */
  readonly onListening: () => void;
}

/** How often it makes sure that it still hears: a connection that says nothing may have been cut. */
const checkMs = 30_000;

/**
 * Hears what is told by `pg_notify` in a Postgres, from the time that the storage is ready. It keeps one connection of the
 * pool, and takes another one when that is lost; what is told meanwhile is lost, so that nothing may depend on it.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #stopWaiting: () => void;
  #client: PoolClient | undefined;
  #isChecking = false;
  #isClosed = false;
  #failures = 0;
  #cancelCheck = () => {};

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#stopWaiting = options.storage.onReady(() => this.#checkLater(0));
  }

  /** Gives the connection back; before the storage is closed, which waits for it. */
  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    this.#cancelCheck();
    this.#drop();
  }

  #checkLater(delayMs: number): void {
    this.#cancelCheck();
    if (this.#isClosed) return;
    this.#cancelCheck = this.#options.clock.setTimer(delayMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { storage, channel, log, onListening } = this.#options;
    try {
      const isNew = this.#client === undefined;
      this.#client ??= await this.#connect();
      // Changes nothing for a connection that listens, but for an answer.
      await this.#client.query(`LISTEN ${channel}`);
      if (isNew) onListening();
      this.#failures = 0;
      this.#checkLater(checkMs);
    } catch (thrown) {
      this.#drop();
      // A storage that is away logs that itself, and when it is back.
      if (this.#isClosed || storage.state !== 'ready') return;
      this.#failures += 1;
      const delayMs = backoffMs(this.#failures);
      log.warn({ err: toAppError(thrown), retry_ms: delayMs }, 'Notices of other processes cannot be heard');
      this.#checkLater(delayMs);
    } finally {
      this.#isChecking = false;
    }
  }

  async #connect(): Promise<PoolClient> {
    const client = await this.#options.storage.use(({ pool }) => pool.connect());
    if (this.#isClosed) {
      client.release(true);
      throw new Error('the listener is closed');
    }
    client.on('notification', ({ payload = '' }) => this.#options.onMessage(payload));
    client.on('end', () => this.#onEnd(client));
    return client;
  }

  #onEnd(client: PoolClient): void {
    if (this.#client !== client) return;
    this.#drop();
    this.#failures += 1;
    this.#checkLater(backoffMs(this.#failures));
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.removeAllListeners('notification');
    client?.release(true);
  }
}
