import { z } from 'zod';
import { backoffMs } from '../storage/backoff.ts';
import { Listener } from '../storage/listener.ts';
import type { Storage } from '../storage/storage.ts';
import { backOff } from '../timing/back-off.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { pause } from '../timing/pause.ts';

export interface NoticesOptions {
  /** Names the process, without a space. */
  readonly name: string;
  readonly storage: Storage;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: Pick<Log, 'warn'>;
  /** Called with tasks of another process that wait for any worker. */
  readonly onQueued: (ids: readonly string[]) => void;
  /** Called with tasks that have begun or ended in another process. */
  readonly onChanged: (ids: readonly string[]) => void;
  /** Called when tasks or webhooks of another process wait for their time. */
  readonly onDelayed: () => void;
  /** Called when webhooks wait that another process does not call. */
  readonly onWebhooks: () => void;
  /** Anything may have happened: a notice was not received, or did not have everything. */
  readonly onGap: () => void;
}

const channel = 'inferd_tasks';
/** Of each kind; Postgres takes less than 8000 bytes at once. */
const maxIds = 90;
/** What happens within a pause is told together; pauses get longer while there is something to tell after each. */
const pausesMs = { first: 5, longest: 50 };

/** What stands behind the name of the sender. `more`: it does not have everything. */
const noticeSchema = z.object({
  queued: z.array(z.string()),
  changed: z.array(z.string()),
  delayed: z.boolean().default(false),
  webhooks: z.boolean().default(false),
  more: z.boolean(),
});

/**
 * What processes on one Postgres tell each other of tasks, so that no task waits for their next look. A hint and no more:
 * whatever is lost of it is found by looking.
 */
export class TaskNotices {
  readonly #options: NoticesOptions;
  readonly #listener: Listener;
  readonly #queued = new Set<string>();
  readonly #changed = new Set<string>();
  #hasDelayed = false;
  #hasWebhooks = false;
  #hasMore = false;
  #sending: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(options: NoticesOptions) {
    this.#options = options;
    const { storage, clock, log, onGap } = options;
    const onMessage = (text: string) => this.#hear(text);
    this.#listener = new Listener({ storage, channel, clock, log, onMessage, onListening: onGap });
  }

  /** Tells that a task waits for a process that can do it now. */
  tellQueued(id: string): void {
    // It waits again: that it had begun is no news, and would be heard last.
    this.#changed.delete(id);
    this.#tell(this.#queued, id);
  }

  /** Tells that a task has begun or ended. */
  tellChanged(id: string): void {
    this.#tell(this.#changed, id);
  }

  /** Tells that tasks or webhooks wait for their time. */
  tellDelayed(): void {
    this.#hasDelayed = true;
    this.#sending ??= this.#sendAll();
  }

  /** Tells that webhooks wait that this process does not call. */
  tellWebhooks(): void {
    this.#hasWebhooks = true;
    this.#sending ??= this.#sendAll();
  }

  /** Waits for what is being told. */
  async close(): Promise<void> {
    this.#listener.close();
    this.#closing.abort();
    await this.#sending;
  }

  #tell(ids: Set<string>, id: string): void {
    if (ids.size < maxIds) ids.add(id);
    else this.#hasMore = true;
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    let failures = 0;
    for (let round = 1; this.#hasSomething; round++) {
      const isSent = await this.#send(this.#takeNotice());
      failures = isSent ? 0 : failures + 1;
      if (!isSent && signal.aborted) break;
      // Where something was not told, it is told that there was more.
      this.#hasMore ||= !isSent;
      await pause(clock, isSent ? backOff(pausesMs, round) : backoffMs(failures), signal);
    }
    // In the same turn as the look at what is to be told: what came between would wait for the next.
    this.#sending = undefined;
  }

  /** False where the storage is away, which logs that itself. */
  async #send(text: string): Promise<boolean> {
    try {
      await this.#options.storage.use(({ pool }) => pool.query('SELECT pg_notify($1, $2)', [channel, text]));
      return true;
    } catch {
      return false;
    }
  }

  get #hasSomething(): boolean {
    return this.#hasMore || this.#queued.size + this.#changed.size > 0 || this.#hasDelayed || this.#hasWebhooks;
  }

  /** The text of what is to be told, which is forgotten with that. */
  #takeNotice(): string {
    const notice = {
      queued: [...this.#queued],
      changed: [...this.#changed],
      delayed: this.#hasDelayed,
      webhooks: this.#hasWebhooks,
      more: this.#hasMore,
    };
    this.#queued.clear();
    this.#changed.clear();
    this.#hasDelayed = false;
    this.#hasWebhooks = false;
    this.#hasMore = false;
    return `${this.#options.name} ${JSON.stringify(notice)}`;
  }

  #hear(text: string): void {
    const { name, onQueued, onChanged, onDelayed, onWebhooks, onGap } = this.#options;
    if (text.startsWith(`${name} `)) return;
    const { data: notice } = noticeSchema.safeParse(parseJson(text.slice(text.indexOf(' ') + 1)));
    if (notice === undefined) return;
    // Before what was begun of it.
    if (notice.queued.length > 0) onQueued(notice.queued);
    if (notice.changed.length > 0) onChanged(notice.changed);
    if (notice.delayed) onDelayed();
    if (notice.webhooks) onWebhooks();
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
