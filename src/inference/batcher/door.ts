import { AppError } from '../../errors.ts';
import { predictFinishMs } from './admission.ts';
import { rowsThatFit } from './build-batch.ts';
import type { Caution } from './caution.ts';
import type { CostModel } from './cost-model.ts';
import type { Lane } from './lane.ts';
import type { Arrival } from './pending.ts';
import { clientGone, deadlineExceeded, secondsUntil } from './refusals.ts';
import type { RequestQueue } from './request-queue.ts';

export interface DoorOptions {
  readonly maxSize: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
}

/** Refuses requests for which there is no room or no hope, before they cost anything. */
export class Door {
  readonly #options: DoorOptions;
  readonly #queue: RequestQueue;
  readonly #lanes: readonly Lane[];
  readonly #cost: CostModel;
  readonly #caution: Caution;

  constructor(
    options: DoorOptions,
    { queue, lanes, cost, caution }: { queue: RequestQueue; lanes: readonly Lane[]; cost: CostModel; caution: Caution },
  ) {
    this.#options = options;
    this.#queue = queue;
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
    if (this.#queue.length === 0 && this.#lanes.some((lane) => lane.isIdle)) return undefined;
    const finishMs = this.#predictFinishMs(arrival, nowMs);
    return finishMs > arrival.deadlineMs ? unreachable(arrival, nowMs, finishMs) : undefined;
  }

  #hasRoom({ rows, bytes }: Arrival): boolean {
    const { maxQueueRows, maxQueueBytes } = this.#options;
    return this.#queue.rows + rows <= maxQueueRows && this.#queue.bytes + bytes <= maxQueueBytes;
  }

  #queueFull(arrival: Arrival, nowMs: number): AppError {
    const { maxQueueRows, maxQueueBytes } = this.#options;
    const { rows, bytes } = this.#queue;
    return new AppError('QUEUE_FULL', {
      message: `${rows} rows (${bytes} bytes) are waiting, of at most ${maxQueueRows} rows (${maxQueueBytes} bytes)`,
      retryAfterSeconds: secondsUntil(nowMs, this.#predictFinishMs(arrival, nowMs)),
    });
  }

  /** When the answer would be there; now, if nothing can be said. */
  #predictFinishMs({ group, rows, bytes }: Arrival, nowMs: number): number {
    const freeAtMs: number[] = [];
    for (const lane of this.#lanes) if (lane.executor.accepts) freeAtMs.push(lane.freeAtMs(nowMs));
    const allRows = this.#queue.rows + rows;
    const maxRows = rowsThatFit(this.#options.maxSize, bytes / rows);
    const joins = group !== undefined;
    const finishMs = predictFinishMs({
      nowMs,
      freeAtMs,
      cost: this.#cost.line,
      overheadMs: this.#cost.overheadMs,
      rows: allRows,
      runs: joins ? Math.max(this.#queue.groupCount, Math.ceil(allRows / maxRows)) : this.#queue.length + 1,
      caution: this.#caution.share,
      ownRunRows: joins ? Math.min(maxRows, allRows) : rows,
    });
    return finishMs ?? nowMs;
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
