import { AppError, toAppError } from '../../errors.ts';
import { RepeatingJob } from '../../timing/repeating-job.ts';
import type { Ledger } from '../ledger.ts';
import { describeTask } from '../schemas.ts';
import type { Task } from '../task.ts';
import type { TroubleLog } from '../trouble-log.ts';
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
  readonly logTrouble: TroubleLog;
  readonly pollMs: number;
}

const atOnce = 16;
const dayMs = 86_400_000;

/** Tells the addresses that tasks named of their ends, at least once; what cannot be told is tried for a day. */
export class WebhookSender {
  readonly #settings: WebhookSettings;
  readonly #dependencies: WebhookDependencies;
  readonly #round: RepeatingJob;

  constructor(settings: WebhookSettings, dependencies: WebhookDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    const { clock, logTrouble, pollMs: intervalMs } = dependencies;
    const onError = (thrown: unknown) => logTrouble(thrown, 'Webhooks cannot be called');
    this.#round = new RepeatingJob(() => this.#sendSome(), { intervalMs, clock, onError });
  }

  /** There may be something to tell. */
  wake(): void {
    this.#round.runSoon();
  }

  /** Waits for what is being told. */
  close(): Promise<void> {
    return this.#round.close();
  }

  async #sendSome(): Promise<void> {
    const calls = await this.#dependencies.ledger.takeWebhooks(atOnce);
    // There may be more.
    if (calls.length === atOnce) this.wake();
    await Promise.all(calls.map(({ task, url }) => this.#send(task, url)));
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
