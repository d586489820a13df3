import { z } from 'zod';
import { Listener } from '../storage/listener.ts';
import type { Storage } from '../storage/storage.ts';

export interface NoticesOptions {
  /** Names the process. */
  readonly name: string;
  readonly storage: Storage;
  readonly clock: { setTimer(delayMs: number, callback: () => void): () => void };
  readonly log: { warn(details: object, message: string): void };
  /** Told of tasks that another process has put into the queue, for anybody to do. */
  readonly onQueued: (ids: readonly string[]) => void;
  /** Told of tasks that have begun or ended in another process. */
  readonly onChanged: (ids: readonly string[]) => void;
  /** Anything may have happened meanwhile. */
  readonly onGap: () => void;
}

const channel = 'inferd_tasks';
/** Postgres takes less than 8000 bytes at once. */
const maxIds = 90;
/** While much happens, what happens within it is told together. */
const pauseMs = 5;
/** More than that can only wait while the database does not answer. */
const maxWaiting = 10_000;

const noticeSchema = z.object({ from: z.string(), queued: z.array(z.string()), changed: z.array(z.string()) });

/**
 * What processes on one Postgres tell each other of tasks, so that nobody waits for their next look. A hint and no more:
 * whatever is lost of it is found by looking.
 */
export class TaskNotices {
  readonly #options: NoticesOptions;
  readonly #listener: Listener;
  readonly #queued = new Set<string>();
  readonly #changed = new Set<string>();
  #sending: Promise<void> | undefined;

  constructor(options: NoticesOptions) {
    this.#options = options;
    const { storage, clock, log, onGap } = options;
    const onMessage = (text: string) => this.#hear(text);
    this.#listener = new Listener({ storage, channel, clock, log, onMessage, onListening: onGap });
  }

  /** Tells that a task waits for somebody who can do it now. */
  tellQueued(id: string): void {
    this.#tell(this.#queued, id);
  }

  /** Tells that a task has begun or ended. */
  tellChanged(id: string): void {
    this.#tell(this.#changed, id);
  }

  /** Waits for what is being told. */
  async close(): Promise<void> {
    this.#listener.close();
    await this.#sending;
  }

  #tell(ids: Set<string>, id: string): void {
    if (ids.size < maxWaiting) ids.add(id);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    const { name: from, storage, clock } = this.#options;
    try {
      while (this.#queued.size + this.#changed.size > 0) {
        const notice = { from, queued: take(this.#queued), changed: take(this.#changed) };
        await storage.use(({ pool }) => pool.query('SELECT pg_notify($1, $2)', [channel, JSON.stringify(notice)]));
        await new Promise<void>((resolve) => void clock.setTimer(pauseMs, resolve));
      }
    } catch {
      // The storage is away, and tells of that itself.
      this.#queued.clear();
      this.#changed.clear();
    }
  }

  #hear(text: string): void {
    const { data: notice } = noticeSchema.safeParse(parseJson(text));
    if (notice === undefined || notice.from === this.#options.name) return;
    // Before what was begun of it.
    if (notice.queued.length > 0) this.#options.onQueued(notice.queued);
    if (notice.changed.length > 0) this.#options.onChanged(notice.changed);
  }
}

function take(ids: Set<string>): string[] {
  const taken = [...ids.values().take(maxIds)];
  for (const id of taken) ids.delete(id);
  return taken;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
