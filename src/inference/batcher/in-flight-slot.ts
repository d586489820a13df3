import type { Executor } from './executor.ts';
import type { Pending } from './pending.ts';

/** The requests of one run. */
export interface Batch {
  readonly members: readonly Pending[];
  readonly rows: number;
  /** Of its inputs. */
  readonly bytes: number;
  /** Whether its members could have shared a run with others. */
  readonly joins: boolean;
  readonly expectedMs: number;
  /** Rows of online requests. */
  readonly onlineRows: number;
  /** Expected time of a run of those alone. */
  readonly onlineMs: number;
}

/** An executor, and the batches that are in flight on it. */
export class InFlightSlot {
  readonly executor: Executor;
  readonly #batches: Batch[] = [];
  /** When the batch at the front was begun. */
  #startedMs = 0;

  constructor(executor: Executor) {
    this.executor = executor;
  }

  get batches(): readonly Batch[] {
    return this.#batches;
  }

  /** Whether a run given to it would begin at once. */
  get isIdle(): boolean {
    return this.#batches.length === 0 && this.executor.accepts;
  }

  /** Whether it is busy with one batch and could hold the next one. */
  get canHoldNext(): boolean {
    return this.#batches.length === 1 && this.executor.accepts && this.executor.holdsNext !== false;
  }

  /** Whether a run given to it would begin at once if nothing ran in the background. */
  get isIdleOnline(): boolean {
    return this.executor.accepts && this.#batches.every(({ onlineRows }) => onlineRows === 0);
  }

  add(batch: Batch, nowMs: number): void {
    if (this.#batches.length === 0) this.#startedMs = nowMs;
    this.#batches.push(batch);
  }

  remove(batch: Batch, nowMs: number): void {
    const index = this.#batches.indexOf(batch);
    if (index === -1) return;
    this.#batches.splice(index, 1);
    if (index === 0) this.#startedMs = nowMs;
  }

  /** When all of its batches will have ended, or those of online requests if there were no others. */
  freeAtMs(nowMs: number, expected: 'expectedMs' | 'onlineMs' = 'expectedMs'): number {
    const [current, ...waiting] = this.#batches;
    if (current === undefined) return nowMs;
    let freeMs = Math.max(nowMs, this.#startedMs + current[expected]);
    for (const batch of waiting) freeMs += batch[expected];
    return freeMs;
  }
}
