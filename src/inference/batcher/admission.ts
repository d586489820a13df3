import { AppError } from '../../errors.ts';
import type { CostModel } from './cost/cost-model.ts';
import { predictFinishMs } from './cost/finish-time.ts';
import type { SafetyMargin } from './cost/safety-margin.ts';
import type { InFlightSlot } from './in-flight-slot.ts';
import { type Arrival, isBackground } from './pending.ts';
import { rowsThatFit } from './queue/build-batch.ts';
import type { Ahead, RequestQueue } from './queue/request-queue.ts';
import { clientGone, deadlineExceeded, secondsUntil } from './refusals.ts';

export interface AdmissionOptions {
  readonly maxSize: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
}

/** The requests that wait. Those in the background have the same bounds as the others, for themselves. */
export interface Queues {
  readonly online: RequestQueue;
  readonly background: RequestQueue;
}

/** What an admission is decided by. */
export interface AdmissionView {
  readonly queues: Queues;
  readonly slots: readonly InFlightSlot[];
  readonly cost: CostModel;
  readonly margin: SafetyMargin;
}

/**
 * Refuses requests that the queue has no room for, or that cannot be answered before their deadline, before they cost
 * anything. An online request is judged as if nothing ran or waited in the background.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #queues: Queues;
  readonly #slots: readonly InFlightSlot[];
  readonly #cost: CostModel;
  readonly #margin: SafetyMargin;

  constructor(options: AdmissionOptions, { queues, slots, cost, margin }: AdmissionView) {
    this.#options = options;
    this.#queues = queues;
    this.#slots = slots;
    this.#cost = cost;
    this.#margin = margin;
  }

  /** Why the request is not admitted; undefined if it is. `makeRoom` is called before the queue is found full. */
  refusal(arrival: Arrival, nowMs: number, makeRoom: () => void): AppError | undefined {
    if (arrival.signal.aborted) return clientGone();
    if (arrival.deadlineMs <= nowMs) return deadlineExceeded();
    if (!this.#hasRoom(arrival)) {
      makeRoom();
      if (!this.#hasRoom(arrival)) return this.#queueFull(arrival, nowMs);
    }
    // An idle runner takes every request: however wrong the learned cost may have become, the next run corrects it.
    if (this.#findsIdleRunner(arrival)) return undefined;
    const finishMs = this.#predictFinishMs(arrival, nowMs);
    return finishMs > arrival.deadlineMs ? unreachable(arrival, nowMs, finishMs) : undefined;
  }

  #queueOf(arrival: Arrival): RequestQueue {
    return isBackground(arrival) ? this.#queues.background : this.#queues.online;
  }

  #hasRoom(arrival: Arrival): boolean {
    const { maxQueueRows, maxQueueBytes } = this.#options;
    const { rows, bytes } = this.#queueOf(arrival);
    return rows + arrival.rows <= maxQueueRows && bytes + arrival.bytes <= maxQueueBytes;
  }

  #findsIdleRunner(arrival: Arrival): boolean {
    const { online, background } = this.#queues;
    const slots = this.#slots;
    if (online.length > 0) return false;
    if (!isBackground(arrival)) return slots.some((slot) => slot.isIdleOnline);
    return background.length === 0 && slots.some((slot) => slot.isIdle);
  }

  #queueFull(arrival: Arrival, nowMs: number): AppError {
    const { maxQueueRows, maxQueueBytes } = this.#options;
    const { rows, bytes } = this.#queueOf(arrival);
    return new AppError('QUEUE_FULL', {
      message:
        `${rows} rows of ${bytes} bytes are waiting; at most ${maxQueueRows} rows (batching.maxQueueRows) of ` +
        `${maxQueueBytes} bytes (batching.maxQueueBytes) may`,
      retryAfterSeconds: secondsUntil(nowMs, this.#predictFinishMs(arrival, nowMs)),
    });
  }

  /** When the answer would be there; now, if nothing can be said. */
  #predictFinishMs(arrival: Arrival, nowMs: number): number {
    const { group, rows, bytes } = arrival;
    const expected = isBackground(arrival) ? 'expectedMs' : 'onlineMs';
    const freeAtMs: number[] = [];
    for (const slot of this.#slots) if (slot.executor.accepts) freeAtMs.push(slot.freeAtMs(nowMs, expected));
    const ahead = this.#ahead(arrival);
    const allRows = ahead.rows + rows;
    const maxRows = rowsThatFit(this.#options.maxSize, bytes / rows);
    const joins = group !== undefined;
    const finishMs = predictFinishMs({
      nowMs,
      freeAtMs,
      cost: this.#cost.line,
      overheadMs: this.#cost.overheadMs,
      rows: allRows,
      runs: joins ? Math.max(ahead.groups, Math.ceil(allRows / maxRows)) : ahead.requests + 1,
      margin: this.#margin.share,
      ownRunRows: joins ? Math.min(maxRows, allRows) : rows,
    });
    return finishMs ?? nowMs;
  }

  /** What has its turn before the request; of the groups only the most that it can be is known. */
  #ahead(arrival: Arrival): Ahead & { readonly groups: number } {
    const { online, background } = this.#queues;
    const { requests, rows } = online.ahead(arrival.level);
    if (!isBackground(arrival)) return { requests, rows, groups: Math.min(online.groupCount, requests + 1) };
    return {
      requests: requests + background.length,
      rows: rows + background.rows,
      groups: online.groupCount + background.groupCount,
    };
  }
}

function unreachable({ deadlineMs }: Arrival, nowMs: number, finishMs: number): AppError {
  const needed = Math.ceil(finishMs - nowMs);
  const left = Math.floor(deadlineMs - nowMs);
  return new AppError('DEADLINE_UNREACHABLE', {
    message: `An answer would take about ${needed} ms, and the deadline is in ${left} ms`,
    retryAfterSeconds: secondsUntil(deadlineMs, finishMs),
  });
}
