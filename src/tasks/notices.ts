import { z } from 'zod';
import { Listener } from '../storage/listener.ts';
import type { Storage } from '../storage/storage.ts';
import { backOff } from '../timing/back-off.ts';
import { pause } from '../timing/pause.ts';

export interface NoticesOptions {
  /** Names the process, without a space. */
  readonly name: string;
  readonly storage: Storage;
  readonly clock: { setTimer(delayMs: number, callback: () => void): () => void };
  readonly log: { warn(details: object, message: string): void };
  /** Told of tasks that another process has put into the queue, for anybody to do. */
  readonly onQueued: (ids: readonly string[]) => void;
  /** Told of tasks that have begun or ended in another process. */
  readonly onChanged: (ids: readonly string[]) => void;
  /** Anything may have happened: something was not heard, or more than could be told. */
  readonly onGap: () => void;
}

const channel = 'inferd_tasks';
/** Of each kind; Postgres takes less than 8000 bytes at once. */
const maxIds = 90;
/** What happens within a pause is told together; pauses get longer while there is something to tell after each. */
const pausesMs = { first: 5, longest: 50 };

/** What stands behind the name of the sender. `more`: there was more than could be told. */
const noticeSchema = z.object({ queued: z.array(z.string()), changed: z.array(z.string()), more: z.boolean() });

/**
 * What processes on one Postgres tell each other of tasks, so that nobody waits for their next look. A hint and no more:
 * whatever is lost of it is found by looking.
 */
export class TaskNotices {
  readonly #options: NoticesOptions;
  readonly #listener: Listener;
  readonly #queued = new Set<string>();
  readonly #changed = new Set<string>();
  #hasMore = false;
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
    if (ids.size < maxIds) ids.add(id);
    else this.#hasMore = true;
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const { storage, clock } = this.#options;
    try {
      for (let round = 1; this.#queued.size + this.#changed.size > 0; round++) {
        const text = this.#takeNotice();
        await storage.use(({ pool }) => pool.query('SELECT pg_notify($1, $2)', [channel, text]));
        await pause(clock, backOff(pausesMs, round));
      }
    } catch {
      // The storage is away, and tells of that itself.
      this.#takeNotice();
    }
    // In the same turn as the look at what is to be told: what came between would wait for the next.
    this.#sending = undefined;
  }

  /** The text of what is to be told, which is forgotten with that. */
  #takeNotice(): string {
    const notice = { queued: [...this.#queued], changed: [...this.#changed], more: this.#hasMore };
    this.#queued.clear();
    this.#changed.clear();
    this.#hasMore = false;
    return `${this.#options.name} ${JSON.stringify(notice)}`;
  }

  #hear(text: string): void {
    const { name, onQueued, onChanged, onGap } = this.#options;
    if (text.startsWith(`${name} `)) return;
    const { data: notice } = noticeSchema.safeParse(parseJson(text.slice(text.indexOf(' ') + 1)));
    if (notice === undefined) return;
    // Before what was begun of it.
    if (notice.queued.length > 0) onQueued(notice.queued);
    if (notice.changed.length > 0) onChanged(notice.changed);
    if (notice.more) onGap();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
