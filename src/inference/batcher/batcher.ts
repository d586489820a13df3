import type { AppError, ErrorCode } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { DeadlineWatch } from '../deadline-watch.ts';
import type { BatchEvent } from '../events.ts';
import type { TraceContext } from '../trace-context.ts';
import { Answers } from './answers.ts';
import { BatchGain } from './batch-gain.ts';
import { buildBatch, rowsThatFit } from './build-batch.ts';
import { Caution } from './caution.ts';
import { CostModel } from './cost-model.ts';
import { Door, type DoorOptions } from './door.ts';
import type { Executor, RunOutcome } from './executor.ts';
import { finishBatch } from './finish-batch.ts';
import { joinInputs } from './join.ts';
import { type Batch, Lane } from './lane.ts';
import type { Arrival, Pending } from './pending.ts';
import { shuttingDown } from './refusals.ts';
import type { RequestGroup } from './request-group.ts';
import { RequestQueue } from './request-queue.ts';
import { gainsNothingByWaiting, ripeAtMs } from './ripeness.ts';

export interface BatcherOptions extends DoorOptions {
  readonly maxDelayMs: number;
}

export interface BatcherDependencies {
  readonly clock: Clock;
  readonly executors: readonly Executor[];
  /** Calls back when what is under way in this turn of the event loop has come in, so that it can share a run. */
  readonly defer: (callback: () => void) => void;
  readonly onBatch?: (batch: BatchEvent) => void;
  readonly onRefusal?: (code: ErrorCode) => void;
  /** A joined run gave another number of rows than it took: its requests run by themselves now, as all should. */
  readonly onRowsMismatch?: () => void;
}

/**
 * Gathers requests into runs. An idle runner takes what waits at once; while all are busy, requests gather, and the
 * next run takes as many rows as fit. The queue is bounded, the order of arrival is kept, and every request that is
 * let in is answered exactly once, at its deadline at the latest.
 */
export class Batcher {
  readonly cost = new CostModel();
  readonly #gain = new BatchGain();
  readonly #options: BatcherOptions;
  readonly #dependencies: BatcherDependencies;
  readonly #clock: Clock;
  readonly #queue = new RequestQueue();
  readonly #lanes: readonly Lane[];
  readonly #door: Door;
  readonly #answers: Answers;
  readonly #deadlines: DeadlineWatch;
  /** Batches that ran in vain and run again, before anything that waits. */
  readonly #again: (readonly Pending[])[] = [];
  #arrivals = 0;
  #deferred = false;
  #closing = false;
  #cancelDelay: (() => void) | undefined;

  constructor(options: BatcherOptions, dependencies: BatcherDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#clock = dependencies.clock;
    this.#lanes = dependencies.executors.map((executor) => new Lane(executor));
    const caution = new Caution();
    this.#door = new Door(options, { queue: this.#queue, lanes: this.#lanes, cost: this.cost, caution });
    this.#answers = new Answers(caution, dependencies.onRefusal);
    this.#deadlines = new DeadlineWatch(dependencies.clock, () => this.#dropUseless());
  }

  get queueRows(): number {
    return this.#queue.rows;
  }

  get queueBytes(): number {
    return this.#queue.bytes;
  }

  /** How long the oldest waiting request has waited; 0 when none waits. */
  get oldestWaitMs(): number {
    const oldest = this.#queue.oldestGroup(() => true)?.first;
    return oldest === undefined ? 0 : this.#clock.now() - oldest.enqueuedMs;
  }

  /** Lets a request in, or rejects it at once. */
  submit(arrival: Arrival): void {
    const nowMs = this.#clock.now();
    const refusal = this.#closing ? shuttingDown() : this.#door.refusal(arrival, nowMs, () => void this.#dropUseless());
    if (refusal !== undefined) {
      this.#dependencies.onRefusal?.(refusal.code);
      arrival.reject(refusal);
      return;
    }
    this.#answers.expect();
    this.#queue.push({ ...arrival, order: this.#arrivals, enqueuedMs: nowMs, settled: false });
    this.#arrivals += 1;
    this.#deadlines.add(arrival.deadlineMs);
    this.wake();
  }

  /** Gives waiting requests to idle executors; to be called when one of them accepts runs again. */
  wake(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#dependencies.defer(() => {
      this.#deferred = false;
      this.#dispatch();
    });
  }

  /** Rejects every request that waits for a run. */
  rejectWaiting(error: () => AppError): void {
    for (const pending of this.#queue.remove(() => true)) this.#answers.reject(pending, error());
    for (const pending of this.#again.splice(0).flat()) this.#answers.reject(pending, error());
  }

  /** Lets nobody in any more; resolves when every request is answered. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#answers.whenNoneOpen();
    this.#deadlines.stop();
    this.#cancelDelay?.();
  }

  #dispatch(): void {
    const nowMs = this.#clock.now();
    for (const lane of this.#lanes) {
      if (!lane.isIdle) continue;
      const again = this.#takeAgain(nowMs);
      if (again !== undefined) this.#send(lane, again, nowMs);
      else if (!this.#sendNext(lane, nowMs, () => true)) break;
    }
    for (const lane of this.#lanes) {
      if (!lane.canHoldNext) continue;
      this.#sendNext(lane, nowMs, (group) => gainsNothingByWaiting(group, this.cost, this.#maxRows(group)));
    }
    this.#armDelay(nowMs);
  }

  /** Gives the lane the next run of the oldest group that is ripe, if it fulfils the condition. */
  #sendNext(lane: Lane, nowMs: number, condition: (group: RequestGroup) => boolean): boolean {
    for (;;) {
      const group = this.#queue.oldestGroup((candidate) => this.#ripeAtMs(candidate) <= nowMs);
      if (group === undefined || !condition(group)) return false;
      const members = buildBatch(this.#queue, group, {
        maxRows: this.#maxRows(group),
        startMs: lane.freeAtMs(nowMs) + this.cost.overheadMs,
        cost: this.cost,
        dropped: (pending) => this.#answers.drop(pending, nowMs),
      });
      if (members.length === 0) continue;
      this.#send(lane, members, nowMs);
      return true;
    }
  }

  /** Most rows of the next run of the group: as many as are allowed, fit, and make a row cheaper. */
  #maxRows({ first }: RequestGroup): number {
    if (first === undefined) return 1;
    return this.#gain.usefulRows(rowsThatFit(this.#options.maxSize, first.bytes / first.rows));
  }

  #recordGain({ rows, bytes }: Batch, runMs: number): void {
    const bytesPerRow = bytes / rows;
    this.#gain.record({ rows, runMs, bytesPerRow }, rowsThatFit(this.#options.maxSize, bytesPerRow));
  }

  #ripeAtMs(group: RequestGroup): number {
    const { maxDelayMs } = this.#options;
    return ripeAtMs(group, this.cost, { maxRows: this.#maxRows(group), maxDelayMs });
  }

  #takeAgain(nowMs: number): readonly Pending[] | undefined {
    for (let members = this.#again.shift(); members !== undefined; members = this.#again.shift()) {
      const useful = members.filter((pending) => !this.#answers.drop(pending, nowMs));
      if (useful.length > 0) return useful;
    }
    return undefined;
  }

  #send(lane: Lane, members: readonly Pending[], nowMs: number): void {
    let rows = 0;
    let bytes = 0;
    let latestDeadlineMs = 0;
    for (const member of members) {
      rows += member.rows;
      bytes += member.bytes;
      latestDeadlineMs = Math.max(latestDeadlineMs, member.deadlineMs);
    }
    const batch: Batch = {
      members,
      rows,
      bytes,
      joins: members[0]?.group !== undefined,
      expectedMs: this.cost.estimateMs(rows),
    };
    lane.add(batch, nowMs);
    const run = lane.executor.run({
      inputs: joinInputs(members, rows),
      outputs: members[0]?.outputs ?? [],
      rows,
      latestDeadlineMs,
      expectedMs: batch.expectedMs,
    });
    void run.then((outcome) => this.#finish(lane, batch, outcome));
  }

  #finish(lane: Lane, batch: Batch, outcome: RunOutcome): void {
    const nowMs = this.#clock.now();
    lane.remove(batch, nowMs);
    const again = finishBatch(batch, outcome, {
      nowMs,
      answers: this.#answers,
      onRowsMismatch: () => this.#dependencies.onRowsMismatch?.(),
    });
    this.#again.unshift(...again);
    if (outcome.kind === 'done') {
      this.cost.record(batch.rows, outcome.runMs, Math.max(0, nowMs - outcome.startedMs - outcome.runMs));
      if (batch.joins) this.#recordGain(batch, outcome.runMs);
      this.#dependencies.onBatch?.({
        rows: batch.rows,
        maxRows: this.#options.maxSize,
        requests: batch.members.length,
        startedMs: outcome.startedMs,
        runMs: outcome.runMs,
        traces: tracesOf(batch.members),
      });
    }
    this.wake();
  }

  /** Answers every request that is past its deadline or abandoned; gives the earliest deadline of the others. */
  #dropUseless(): number {
    const nowMs = this.#clock.now();
    let earliestMs = Number.POSITIVE_INFINITY;
    const isUseless = (pending: Pending) => {
      if (this.#answers.drop(pending, nowMs)) return true;
      earliestMs = Math.min(earliestMs, pending.deadlineMs);
      return false;
    };
    this.#queue.remove(isUseless);
    for (const members of this.#again) members.forEach(isUseless);
    for (const lane of this.#lanes) for (const { members } of lane.batches) members.forEach(isUseless);
    return earliestMs;
  }

  #armDelay(nowMs: number): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    if (this.#options.maxDelayMs === 0 || !this.#lanes.some((lane) => lane.isIdle)) return;
    const ripeMs = this.#queue.earliest((group) => this.#ripeAtMs(group));
    if (ripeMs === Number.POSITIVE_INFINITY) return;
    this.#cancelDelay = this.#clock.setTimer(Math.max(1, Math.ceil(ripeMs - nowMs)), () => this.#dispatch());
  }
}

const noTraces: readonly TraceContext[] = [];

function tracesOf(members: readonly Pending[]): readonly TraceContext[] {
  const traced = members.some(({ trace }) => trace !== undefined);
  return traced ? members.flatMap(({ trace }) => trace ?? []) : noTraces;
}
