import { AppError, toAppError } from '../../errors.ts';
import { RepeatingJob } from '../../timing/repeating-job.ts';
import type { Ledger } from '../ledger.ts';
import { describeTask } from '../schemas.ts';
import type { Task } from '../task.ts';
import type { TroubleLog } from '../trouble-log.ts';
import { postWebhook } from './post.ts';
import { signatureHeaders } from './signature.ts';
import { WebhookLanes } from './webhook-lanes.ts';

export interface WebhookSettings {
  /** Undefined: no webhooks. */
  readonly secret: string | undefined;
  /** Whether addresses of this machine and its networks may be called. */
  readonly allowPrivate: boolean;
}

export interface WebhookDependencies {
  readonly ledger: Pick<Ledger, 'takeWebhooks' | 'returnWebhooks' | 'settleWebhook'>;
  readonly clock: { now(): number; setTimer(delayMs: number, callback: () => void): () => void };
  readonly log: { warn(details: object, message: string): void };
  readonly logTrouble: TroubleLog;
  readonly pollMs: number;
}

const limits = { calls: 64, ofOwner: 32, ofLane: 8, slow: 16, waitingSlow: 8 };
/** Most that are taken at a time, and that wait in this process. */
const claim = { atOnce: 64, waiting: 256 };
/** A host that has not answered by then delays others. */
const slowMs = 1000;
/** What was taken longer ago is left to whoever takes it next, which is when the ledger gives it again. */
const holdMs = 40_000;
const dayMs = 86_400_000;

interface Call {
  readonly id: string;
  readonly owner: string;
  readonly host: string;
  readonly task: Task;
  readonly url: URL;
  readonly takenMs: number;
}

/** Tells the addresses that tasks named of their ends, at least once; what cannot be told is tried for a day. */
export class WebhookSender {
  readonly #settings: WebhookSettings;
  readonly #dependencies: WebhookDependencies;
  readonly #rounds: RepeatingJob;
  readonly #lanes = new WebhookLanes<Call>(limits);
  readonly #calls = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #mayBeMore = false;

  constructor(settings: WebhookSettings, dependencies: WebhookDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    const { clock, logTrouble, pollMs: intervalMs } = dependencies;
    const onError = (thrown: unknown) => logTrouble(thrown, 'Webhooks cannot be called');
    this.#rounds = new RepeatingJob(() => this.#take(), { intervalMs, clock, onError });
  }

  /** There may be something to tell. */
  wake(): void {
    this.#rounds.runSoon();
  }

  /** Gives back what waits, and lets the calls under way end for a moment; those that do not are tried again. */
  async close(): Promise<void> {
    const { ledger, clock, logTrouble } = this.#dependencies;
    const cancelTimer = clock.setTimer(slowMs, () => this.#closing.abort());
    await this.#rounds.close();
    const waiting = this.#lanes.takeAll().map(({ id }) => id);
    await ledger.returnWebhooks(waiting).catch((thrown) => logTrouble(thrown, 'Webhooks cannot be given back'));
    await Promise.all(this.#calls);
    cancelTimer();
  }

  async #take(): Promise<void> {
    while (this.#lanes.waiting < claim.waiting) {
      const taken = await this.#dependencies.ledger.takeWebhooks(claim.atOnce);
      const takenMs = this.#dependencies.clock.now();
      this.#lanes.add(taken.map(({ task, url }) => callOf(task, new URL(url), takenMs)));
      this.#begin();
      this.#mayBeMore = taken.length === claim.atOnce;
      if (!this.#mayBeMore) return;
    }
  }

  /** Begins with as many calls as there are places for. */
  #begin(): void {
    for (let call = this.#lanes.next(); call !== undefined; call = this.#lanes.next()) {
      const running = this.#send(call);
      this.#calls.add(running);
      void running.finally(() => this.#calls.delete(running));
    }
  }

  async #send(call: Call): Promise<void> {
    const { clock, logTrouble } = this.#dependencies;
    const startedMs = clock.now();
    const cancelTimer = clock.setTimer(slowMs, () => {
      this.#lanes.markSlow(call);
      // There is room now for what waits for others.
      this.#takeMore();
    });
    try {
      if (startedMs - call.takenMs < holdMs) await this.#tell(call);
    } catch (thrown) {
      logTrouble(thrown, 'The end of a webhook cannot be kept');
    }
    cancelTimer();
    this.#lanes.end(call, { wasSlow: clock.now() - startedMs >= slowMs });
    if (this.#closing.signal.aborted) return;
    this.#begin();
    this.#takeMore();
  }

  #takeMore(): void {
    if (this.#mayBeMore && this.#lanes.waiting < claim.atOnce) this.wake();
  }

  async #tell({ task, url, host }: Call): Promise<void> {
    const { ledger, log } = this.#dependencies;
    try {
      await this.#post(task, url);
    } catch (thrown) {
      const ageMs = Date.now() - (task.finishedAt?.getTime() ?? 0);
      const isHopeless = ageMs > dayMs || (thrown instanceof AppError && thrown.code === 'WEBHOOK_REFUSED');
      const message = isHopeless ? 'A webhook is given up' : 'A webhook did not answer and is tried again';
      // Path and query may be what lets a caller in.
      log.warn({ err: toAppError(thrown), task: task.id, webhook: `${url.protocol}//${host}` }, message);
      await ledger.settleWebhook(task.id, isHopeless ? undefined : retrySeconds(ageMs));
      return;
    }
    await ledger.settleWebhook(task.id, undefined);
  }

  async #post(task: Task, url: URL): Promise<void> {
    const { secret = '', allowPrivate } = this.#settings;
    const timestamp = new Date();
    const message = { type: `task.${task.state}`, timestamp: timestamp.toISOString(), data: describeTask(task) };
    const body = JSON.stringify(message);
    const headers = signatureHeaders(secret, task.id, Math.floor(timestamp.getTime() / 1000), body);
    const status = await postWebhook(url, { headers, body, allowPrivate, signal: this.#closing.signal });
    if (status < 200 || status > 299) throw new Error(`The webhook answered ${status}`);
  }
}

function callOf(task: Task, url: URL, takenMs: number): Call {
  return { id: task.id, owner: task.owner, host: url.host, task, url, takenMs };
}

/** As long as it has been tried already, from two seconds to an hour. */
function retrySeconds(ageMs: number): number {
  return Math.min(3600, Math.max(2, ageMs / 1000));
}
