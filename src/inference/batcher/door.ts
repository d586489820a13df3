import { AppError } from '../../errors.ts';
import { predictFinishMs } from './admission.ts';
import { rowsThatFit } from './build-batch.ts';
import type { Caution } from './caution.ts';
import type { CostModel } from './cost-model.ts';
import type { Lane } from './lane.ts';
import { type Arrival, isBackground } from './pending.ts';
import { clientGone, deadlineExceeded, secondsUntil } from './refusals.ts';
import type { Ahead, RequestQueue } from './request-queue.ts';

export interface DoorOptions {
  readonly maxSize: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
}

/** The requests that wait. Those in the background have the same bounds as the others, for themselves. */
export interface Queues {
  readonly online: RequestQueue;
  readonly background: RequestQueue;
}

/** What the door looks at. */
export interface DoorView {
  readonly queues: Queues;
  readonly lanes: readonly Lane[];
  readonly cost: CostModel;
  readonly caution: Caution;
}

/**
 * Refuses requests for which there is no room or no hope, before they cost anything. One that somebody waits for is
 * judged as if nothing ran or waited in the background.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #queues: Queues;
  readonly #lanes: readonly Lane[];
  readonly #cost: CostModel;
  readonly #caution: Caution;

  constructor(options: DoorOptions, { queues, lanes, cost, caution }: DoorView) {
    this.#options = options;
    this.#queues = queues;
    this.#lanes = lanes;
    this.#cost = cost;
    this.#caution = caution;
  }

  /** Why the request is not let in; undefined if it is. `makeRoom` is called before the queue is found full. */
  refusal(arrival: Arrival, nowMs: number, makeRoom: () => void): AppError | undefined {
    if (arrival.signal.aborted) return clientGone();
    if (arrival.deadlineMs <= nowMs) return deadlineExceeded();
    if (!this.#hasRoom(arrival)) {
      makeRoom();
      if (!this.#hasRoom(arrival)) return this.#queueFull(arrival, nowMs);
    }
    // An idle runner refuses nobody: however wrong the learned cost may have become, the next run corrects it.
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
    const lanes = this.#lanes;
    if (online.length > 0) return false;
    if (!isBackground(arrival)) return lanes.some((lane) => lane.isIdleOnline);
    return background.length === 0 && lanes.some((lane) => lane.isIdle);
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
    for (const lane of this.#lanes) if (lane.executor.accepts) freeAtMs.push(lane.freeAtMs(nowMs, expected));
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
      caution: this.#caution.share,
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
