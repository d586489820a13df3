import { defaultPriorityLevel } from '../../priority.ts';
import type { Answers } from '../answers.ts';
import { BatchGain } from '../cost/batch-gain.ts';
import type { CostModel } from '../cost/cost-model.ts';
import type { Batch, InFlightSlot } from '../in-flight-slot.ts';
import { isBackground, type Pending } from '../pending.ts';
import { longestAloneMs, longestJoinedMs } from './background.ts';
import { type BatchLimits, buildBatch, fillBatch, firstAlive, rowsThatFit } from './build-batch.ts';
import type { RequestGroup } from './request-group.ts';
import { RequestQueue } from './request-queue.ts';
import { gainsNothingByWaiting, ripeAtMs } from './ripeness.ts';

export interface ScheduleOptions {
  readonly maxSize: number;
  readonly maxDelayMs: number;
}

/** The requests of one run, in order. */
export type Members = readonly Pending[];

/**
 * What waits for a run, and what the next run is. Online requests come first, by level and by arrival. Background requests
 * take the room that is left in a run where that hardly costs time, and a runner that no online request will need meanwhile.
 */
export class Schedule {
  /** Requests whose clients wait. */
  readonly online = new RequestQueue();
  readonly background = new RequestQueue();
  /** Batches that ran in vain and run again, before anything that waits. */
  readonly #again: Members[] = [];
  readonly #backgroundAgain: Members[] = [];
  readonly #options: ScheduleOptions;
  readonly #cost: CostModel;
  readonly #answers: Answers;
  readonly #gain = new BatchGain();

  constructor(options: ScheduleOptions, cost: CostModel, answers: Answers) {
    this.#options = options;
    this.#cost = cost;
    this.#answers = answers;
  }

  push(pending: Pending): void {
    (isBackground(pending) ? this.background : this.online).push(pending);
  }

  /** Learns from a run how many rows the next ones should take. */
  recordRun({ rows, bytes, joins }: Batch, runMs: number): void {
    if (!joins) return;
    const bytesPerRow = bytes / rows;
    this.#gain.record({ rows, runMs, bytesPerRow }, rowsThatFit(this.#options.maxSize, bytesPerRow));
  }

  /** Takes batches back that must run again, before all others of them or behind. */
  putBack(batches: readonly Members[], place: 'before' | 'behind'): void {
    const at = (queue: readonly Members[]) => (place === 'before' ? 0 : queue.length);
    this.#again.splice(at(this.#again), 0, ...batches.filter((members) => !members.every(isBackground)));
    const background = batches.filter((members) => members.every(isBackground));
    this.#backgroundAgain.splice(at(this.#backgroundAgain), 0, ...background);
  }

  /** The next run of an idle slot; undefined if nothing may run now. */
  take(slot: InFlightSlot, nowMs: number): Members | undefined {
    return (
      this.#takeAgain(this.#again, nowMs) ??
      this.#takeOnline(slot, nowMs, () => true) ??
      this.#takeBackground(slot, nowMs)
    );
  }

  /** The run that a busy slot may be given ahead: none of a low level, for others would wait behind it. */
  takeAhead(slot: InFlightSlot, nowMs: number): Members | undefined {
    return this.#takeOnline(slot, nowMs, (group) => {
      const isLow = group.first !== undefined && group.first.level > defaultPriorityLevel;
      return !isLow && gainsNothingByWaiting(group, this.#cost, this.#maxRows(group));
    });
  }

  /** When the next online request is ripe; infinity when none waits. */
  ripeMs(): number {
    return this.online.earliest((group) => this.#ripeAtMs(group));
  }

  /** Takes out every request that waits. */
  takeAll(): Members {
    const everything = () => true;
    const again = [...this.#again.splice(0), ...this.#backgroundAgain.splice(0)];
    return [...this.online.remove(everything), ...this.background.remove(everything), ...again.flat()];
  }

  /** Takes out every request for which `isUseless` holds. */
  remove(isUseless: (pending: Pending) => boolean): void {
    this.online.remove(isUseless);
    this.background.remove(isUseless);
    // They are taken out when it is their turn.
    for (const members of [...this.#again, ...this.#backgroundAgain]) members.forEach(isUseless);
  }

  #takeAgain(batches: Members[], nowMs: number): Members | undefined {
    for (let members = batches.shift(); members !== undefined; members = batches.shift()) {
      const useful = members.filter((pending) => !this.#answers.drop(pending, nowMs));
      if (useful.length > 0) return useful;
    }
    return undefined;
  }

  /** The next run of the ripe group whose turn it is, if that fulfils the condition. */
  #takeOnline(slot: InFlightSlot, nowMs: number, condition: (group: RequestGroup) => boolean): Members | undefined {
    for (;;) {
      const group = this.online.nextGroup((candidate) => this.#ripeAtMs(candidate) <= nowMs);
      if (group === undefined || !condition(group)) return undefined;
      const limits = this.#limits(slot, group, nowMs);
      const members = buildBatch(this.online, group, limits);
      if (members.length === 0) continue;
      const others = group.joins ? this.background.group(group.key) : undefined;
      if (others !== undefined) {
        fillBatch(members, this.background, others, { ...limits, longestMs: longestJoinedMs(members, this.#cost) });
      }
      return members;
    }
  }

  /** The next run of background requests, if it will have ended when an online request is ripe. */
  #takeBackground(slot: InFlightSlot, nowMs: number): Members | undefined {
    const freeMs = this.ripeMs() - nowMs - this.#cost.overheadMs;
    if (freeMs < 0) return undefined;
    const again = this.#takeAgain(this.#backgroundAgain, nowMs);
    if (again !== undefined) return again;
    for (;;) {
      const group = this.background.nextGroup(() => true);
      if (group === undefined) return undefined;
      const limits = this.#limits(slot, group, nowMs);
      const first = firstAlive(this.background, group, limits);
      if (first === undefined) continue;
      if (this.#cost.estimateMs(first.rows) > freeMs) return undefined;
      const longestMs = Math.min(freeMs, longestAloneMs(this.#cost));
      return buildBatch(this.background, group, { ...limits, longestMs });
    }
  }

  #limits(slot: InFlightSlot, group: RequestGroup, nowMs: number): BatchLimits {
    return {
      maxRows: this.#maxRows(group),
      startMs: slot.freeAtMs(nowMs) + this.#cost.overheadMs,
      cost: this.#cost,
      dropped: (pending) => this.#answers.drop(pending, nowMs),
    };
  }

  /** Most rows of the next run of the group: as many as are allowed, fit, and make a row cheaper. */
  #maxRows({ first }: RequestGroup): number {
    if (first === undefined) return 1;
    return this.#gain.usefulRows(rowsThatFit(this.#options.maxSize, first.bytes / first.rows));
  }

  #ripeAtMs(group: RequestGroup): number {
    const { maxDelayMs } = this.#options;
    return ripeAtMs(group, this.#cost, { maxRows: this.#maxRows(group), maxDelayMs });
  }
}
