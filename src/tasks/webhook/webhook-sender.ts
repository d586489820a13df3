import { AppError, toAppError } from '../../errors.ts';
import type { Ledger } from '../ledger.ts';
import { describeTask } from '../schemas.ts';
import type { Task } from '../task.ts';
import { postWebhook } from './post.ts';
import { signatureHeaders } from './signature.ts';

export interface WebhookSettings {
  /** Undefined: no webhooks. */
  readonly secret: string | undefined;
  /** Whether addresses of this machine and its networks may be called. */
  readonly allowPrivate: boolean;
}

export interface WebhookDependencies {
  readonly ledger: Ledger;
  readonly clock: { setTimer(delayMs: number, callback: () => void): () => void };
  readonly log: { warn(details: object, message: string): void };
  readonly pollMs: number;
}

const atOnce = 16;
const dayMs = 86_400_000;

/** Tells the addresses that tasks named of their ends, at least once; what cannot be told is tried for a day. */
export class WebhookSender {
  readonly #settings: WebhookSettings;
  readonly #dependencies: WebhookDependencies;
  #round: Promise<void> | undefined;
  #isClosed = false;
  #cancelPoll = () => {};

  constructor(settings: WebhookSettings, dependencies: WebhookDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#poll();
  }

  /** There may be something to tell. */
  wake(): void {
    if (this.#isClosed) return;
    this.#round ??= this.#sendAll().finally(() => {
      this.#round = undefined;
    });
  }

  /** Waits for what is being told. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelPoll();
    await this.#round;
  }

  #poll(): void {
    this.#cancelPoll = this.#dependencies.clock.setTimer(this.#dependencies.pollMs, () => {
      this.wake();
      if (!this.#isClosed) this.#poll();
    });
  }

  async #sendAll(): Promise<void> {
    const { ledger, log } = this.#dependencies;
    try {
      for (let count = atOnce; count === atOnce && !this.#isClosed; ) {
        const calls = await ledger.takeWebhooks(atOnce);
        count = calls.length;
        await Promise.all(calls.map(({ task, url }) => this.#send(task, url)));
      }
    } catch (thrown) {
      log.warn({ err: toAppError(thrown) }, 'Webhooks cannot be called');
    }
  }

  async #send(task: Task, url: string): Promise<void> {
    const { ledger, log } = this.#dependencies;
    try {
      await this.#call(task, new URL(url));
      await ledger.settleWebhook(task.id, undefined);
    } catch (thrown) {
      const ageMs = Date.now() - (task.finishedAt?.getTime() ?? 0);
      const isHopeless = ageMs > dayMs || (thrown instanceof AppError && thrown.code === 'WEBHOOK_REFUSED');
      const message = isHopeless ? 'A webhook is given up' : 'A webhook did not answer and is tried again';
      log.warn({ err: toAppError(thrown), task: task.id, webhook: url }, message);
      await ledger.settleWebhook(task.id, isHopeless ? undefined : retrySeconds(ageMs));
    }
  }

  async #call(task: Task, url: URL): Promise<void> {
    const { secret = '', allowPrivate } = this.#settings;
    const timestamp = new Date();
    const message = { type: `task.${task.state}`, timestamp: timestamp.toISOString(), data: describeTask(task) };
    const body = JSON.stringify(message);
    const headers = signatureHeaders(secret, task.id, Math.floor(timestamp.getTime() / 1000), body);
    const status = await postWebhook(url, { headers, body, allowPrivate });
    if (status < 200 || status > 299) throw new Error(`The webhook answered ${status}`);
  }
}

/** As long as it has been tried already, from two seconds to an hour. */
function retrySeconds(ageMs: number): number {
  return Math.min(3600, Math.max(2, ageMs / 1000));
}
