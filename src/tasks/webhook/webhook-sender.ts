import { AppError, toAppError } from '../../errors.ts';
import { backoffMs } from '../../storage/backoff.ts';
import { DueWatch } from '../../storage/leased-rows/due-watch.ts';
import type { ThrottledErrorLog } from '../../storage/throttled-error-log.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import { RepeatingJob } from '../../timing/repeating-job.ts';
import { describeTask } from '../schemas.ts';
import type { Task } from '../task.ts';
import { InFlightSlots } from './in-flight-slots.ts';
import { postWebhook } from './post.ts';
import { signatureHeaders } from './signature.ts';
import type { ClaimedWebhook, WebhookRepository } from './webhook-repository.ts';

export interface WebhookSettings {
  /** Undefined: no webhooks. */
  readonly secret: string | undefined;
  /** Whether addresses of this machine and its networks may be called. */
  readonly allowPrivate: boolean;
}

export interface WebhookDependencies {
  readonly repository: Pick<WebhookRepository, 'claim' | 'nextDueMs' | 'reclaim' | 'giveBack' | 'settle'>;
  /** Names this process in its claims. */
  readonly worker: string;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly logError: ThrottledErrorLog;
  /** How often to look for webhooks that no notice has announced. */
  readonly pollMs: number;
  /** Webhooks wait that this process does not call. */
  readonly onLeft: () => void;
}

const limits = { calls: 64, ofOwner: 32, ofHost: 8, slow: 16, waitingSlow: 8 };
/** Most that are claimed at a time, and that wait in this process. */
const claim = { atOnce: 64, waiting: 256 };
/** A host that has not answered by then delays others. */
const slowMs = 1000;
/** A claim that is older may be lost before its call ends: it is left to expire. */
const holdMs = 40_000;
const dayMs = 86_400_000;

interface Call {
  readonly id: string;
  readonly owner: string;
  readonly host: string;
  readonly task: Task;
  readonly url: URL;
  readonly fence: number;
  readonly claimedMs: number;
}

/** Calls the webhooks of tasks that have ended, at least once; one that does not answer is tried again for a day. */
export class WebhookSender {
  readonly #settings: WebhookSettings;
  readonly #dependencies: WebhookDependencies;
  readonly #rounds: RepeatingJob;
  readonly #slots = new InFlightSlots<Call>(limits);
  readonly #due: DueWatch;
  readonly #calls = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #mayBeMore = false;
  #failures = 0;
  #reclaimedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: WebhookSettings, dependencies: WebhookDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    const { repository, clock, logError, pollMs: intervalMs } = dependencies;
    const onError = (thrown: unknown) => {
      logError(thrown, 'Webhooks cannot be claimed');
      this.#failures += 1;
      this.#due.expect(backoffMs(this.#failures));
    };
    this.#rounds = new RepeatingJob(() => this.#claim(), { intervalMs, clock, onError });
    this.#due = new DueWatch({
      clock,
      nextDueMs: () => repository.nextDueMs(),
      onDue: () => this.wake(),
      longestMs: intervalMs,
    });
  }

  /** Webhooks may wait. */
  wake(): void {
    if (this.#slots.waiting >= claim.waiting) this.#dependencies.onLeft();
    this.#rounds.runSoon();
  }

  /** Webhooks of other processes wait for their time. */
  hearDelayed(): void {
    this.#due.ask();
  }

  /** Gives back what waits, and lets the calls under way end for a moment; those that do not are tried again. */
  async close(): Promise<void> {
    const { repository, clock, logError, onLeft } = this.#dependencies;
    const cancelTimer = clock.setTimer(slowMs, () => this.#closing.abort());
    await Promise.all([this.#rounds.close(), this.#due.close()]);
    const waiting = this.#slots.takeAll();
    await repository.giveBack(waiting).catch((thrown) => logError(thrown, 'Webhooks cannot be given back'));
    if (waiting.length > 0) onLeft();
    await Promise.all(this.#calls);
    cancelTimer();
  }

  async #claim(): Promise<void> {
    const { repository, clock, worker } = this.#dependencies;
    // Until a claim has shown that there is not: where there is no room for one, the end of a call makes it.
    this.#mayBeMore = true;
    await this.#reclaim();
    while (this.#slots.waiting < claim.waiting) {
      const claimed = await repository.claim(claim.atOnce, worker);
      this.#failures = 0;
      const claimedMs = clock.now();
      this.#slots.add(claimed.map((webhook) => callOf(webhook, claimedMs)));
      this.#begin();
      this.#mayBeMore = claimed.length === claim.atOnce;
      if (this.#mayBeMore) continue;
      this.#due.ask();
      return;
    }
  }

  async #reclaim(): Promise<void> {
    const { repository, clock, pollMs } = this.#dependencies;
    if (clock.now() - this.#reclaimedAtMs < pollMs) return;
    await repository.reclaim();
    this.#reclaimedAtMs = clock.now();
  }

  /** Begins with as many calls as there are slots for. */
  #begin(): void {
    for (let call = this.#slots.next(); call !== undefined; call = this.#slots.next()) {
      const running = this.#send(call);
      this.#calls.add(running);
      void running.finally(() => this.#calls.delete(running));
    }
  }

  async #send(call: Call): Promise<void> {
    const { clock, logError } = this.#dependencies;
    const startedMs = clock.now();
    const cancelTimer = clock.setTimer(slowMs, () => {
      this.#slots.markSlow(call);
      // There is room now for what waits for other hosts.
      this.#takeMore();
    });
    try {
      if (startedMs - call.claimedMs < holdMs) await this.#call(call);
    } catch (thrown) {
      logError(thrown, 'The outcome of a webhook cannot be kept');
    }
    cancelTimer();
    this.#slots.end(call, { wasSlow: clock.now() - startedMs >= slowMs });
    if (this.#closing.signal.aborted) return;
    this.#begin();
    this.#takeMore();
  }

  #takeMore(): void {
    if (this.#mayBeMore && this.#slots.waiting < claim.atOnce) this.wake();
  }

  async #call({ task, url, host, fence }: Call): Promise<void> {
    const { repository, log } = this.#dependencies;
    const { id } = task;
    try {
      await this.#post(task, url);
    } catch (thrown) {
      const ageMs = Date.now() - (task.finishedAt?.getTime() ?? 0);
      const isHopeless = ageMs > dayMs || (thrown instanceof AppError && thrown.code === 'WEBHOOK_REFUSED');
      const message = isHopeless ? 'A webhook is given up' : 'A webhook did not answer and is tried again';
      // Path and query may be what lets a caller in.
      log.warn({ err: toAppError(thrown), task: task.id, webhook: `${url.protocol}//${host}` }, message);
      const delaySeconds = isHopeless ? undefined : retrySeconds(ageMs);
      await repository.settle({ id, fence }, delaySeconds);
      if (delaySeconds !== undefined) this.#due.expect(delaySeconds * 1000);
      return;
    }
    await repository.settle({ id, fence }, undefined);
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

function callOf({ task, url, fence }: ClaimedWebhook, claimedMs: number): Call {
  const { id, owner } = task;
  const parsed = new URL(url);
  return { id, owner, host: parsed.host, task, url: parsed, fence, claimedMs };
}

/** As long as it has been tried already, from two seconds to an hour. */
function retrySeconds(ageMs: number): number {
  return Math.min(3600, Math.max(2, ageMs / 1000));
}
