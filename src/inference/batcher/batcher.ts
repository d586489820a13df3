import type { AppError, ErrorCode } from '../../errors.ts';
import type { Clock } from '../../timing/clock.ts';
import { DeadlineWatch } from '../deadline-watch.ts';
import { DeadlyInputs } from '../deadly-inputs.ts';
import type { BatchEvent } from '../events.ts';
import type { SharedRun } from '../independence/spot-checks.ts';
import type { TraceContext } from '../trace-context.ts';
import { Admission, type AdmissionOptions } from './admission.ts';
import { Answers } from './answers.ts';
import { CostModel } from './cost/cost-model.ts';
import { SafetyMargin } from './cost/safety-margin.ts';
import type { Executor, RunOutcome } from './executor.ts';
import { finishBatch } from './finish-batch.ts';
import { type Batch, InFlightSlot } from './in-flight-slot.ts';
import { joinInputs } from './join.ts';
import { type Arrival, isBackground, type Pending } from './pending.ts';
import { type Members, Schedule } from './queue/schedule.ts';
import { shuttingDown } from './refusals.ts';

export interface BatcherOptions extends AdmissionOptions {
  readonly maxDelayMs: number;
}

export interface BatcherDependencies {
  readonly clock: Clock;
  readonly executors: readonly Executor[];
  /** Calls back when what is under way in this turn of the event loop has come in, so that it can share a run. */
  readonly defer: (callback: () => void) => void;
  readonly onBatch?: (batch: BatchEvent) => void;
  readonly onRefusal?: (code: ErrorCode) => void;
  /** A shared run gave another number of rows than it took. */
  readonly onRowsMismatch?: () => void;
  /** Is shown every run that several requests shared, or that a part of a request filled, before it is answered. */
  readonly onSharedRun?: (run: SharedRun) => void;
}

/**
 * Gathers requests into runs. An idle runner takes what waits at once; while all are busy, requests gather, and the
 * next run takes as many rows as fit. The queue is bounded, the order of arrival is kept within a level of priority, and
 * every admitted request is answered exactly once, at its deadline at the latest.
 */
export class Batcher {
  readonly cost = new CostModel();
  readonly #options: BatcherOptions;
  readonly #dependencies: BatcherDependencies;
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #slots: readonly InFlightSlot[];
  readonly #admission: Admission;
  readonly #answers: Answers;
  readonly #deadlines: DeadlineWatch;
  #arrivals = 0;
  #deferred = false;
  #joins = true;
  #closing = false;
  #cancelDelay: (() => void) | undefined;

  constructor(options: BatcherOptions, dependencies: BatcherDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#clock = dependencies.clock;
    this.#slots = dependencies.executors.map((executor) => new InFlightSlot(executor));
    const margin = new SafetyMargin();
    this.#answers = new Answers(margin, new DeadlyInputs(), dependencies.onRefusal);
    this.#schedule = new Schedule(options, this.cost, this.#answers);
    this.#admission = new Admission(options, { queues: this.#schedule, slots: this.#slots, cost: this.cost, margin });
    this.#deadlines = new DeadlineWatch(dependencies.clock, () => this.#dropUseless());
  }

  /** Rows of online requests that wait. */
  get queueRows(): number {
    return this.#schedule.online.rows;
  }

  get queueBytes(): number {
    return this.#schedule.online.bytes;
  }

  /** Rows that wait in the background. */
  get backgroundRows(): number {
    return this.#schedule.background.rows;
  }

  /** How long the oldest online request has waited; 0 when none waits. */
  get oldestWaitMs(): number {
    const { online } = this.#schedule;
    return online.length === 0 ? 0 : this.#clock.now() - online.earliest(({ oldestMs }) => oldestMs);
  }

  /** Admits a request, or rejects it at once. */
  submit(arrival: Arrival): void {
    const nowMs = this.#clock.now();
    const refusal = this.#closing
      ? shuttingDown()
      : this.#admission.refusal(arrival, nowMs, () => void this.#dropUseless());
    if (refusal !== undefined) {
      this.#dependencies.onRefusal?.(refusal.code);
      arrival.reject(refusal);
      return;
    }
    this.#answers.expect();
    const pending: Pending = { ...arrival, order: this.#arrivals, enqueuedMs: nowMs, settled: false, crashes: 0 };
    this.#arrivals += 1;
    if (this.#answers.drop(pending, nowMs)) return;
    this.#schedule.push(pending);
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

  /** From now on every request runs by itself, also those that wait and those whose shared run has not ended. */
  stopJoining(): void {
    this.#joins = false;
    for (const pending of this.#schedule.takeAll()) this.#schedule.push({ ...pending, group: undefined });
  }

  /** Rejects every request whose client is gone, also those that run. */
  dropAborted(): void {
    this.#dropUseless();
  }

  /** Rejects every request that waits for a run. */
  rejectWaiting(error: () => AppError): void {
    for (const pending of this.#schedule.takeAll()) this.#answers.reject(pending, error());
  }

  /** Refuses every further request; resolves when every admitted one is answered. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#answers.whenNoneOpen();
    this.#deadlines.stop();
    this.#cancelDelay?.();
  }

  #dispatch(): void {
    const nowMs = this.#clock.now();
    for (const slot of this.#slots) {
      if (!slot.isIdle) continue;
      const members = this.#schedule.take(slot, nowMs);
      if (members === undefined) break;
      this.#send(slot, members, nowMs);
    }
    for (const slot of this.#slots) {
      const members = slot.canHoldNext ? this.#schedule.takeAhead(slot, nowMs) : undefined;
      if (members !== undefined) this.#send(slot, members, nowMs);
    }
    this.#armDelay(nowMs);
  }

  #send(slot: InFlightSlot, members: Members, nowMs: number): void {
    let rows = 0;
    let bytes = 0;
    let onlineRows = 0;
    let latestDeadlineMs = 0;
    for (const member of members) {
      rows += member.rows;
      bytes += member.bytes;
      if (!isBackground(member)) onlineRows += member.rows;
      latestDeadlineMs = Math.max(latestDeadlineMs, member.deadlineMs);
    }
    const expectedMs = this.cost.estimateMs(rows);
    const onlineMs = onlineRows === rows ? expectedMs : onlineRows === 0 ? 0 : this.cost.estimateMs(onlineRows);
    const joins = members[0]?.group !== undefined;
    const batch: Batch = { members, rows, bytes, joins, expectedMs, onlineRows, onlineMs };
    slot.add(batch, nowMs);
    const run = slot.executor.run({
      inputs: joinInputs(members, rows),
      outputs: members[0]?.outputs ?? [],
      rows,
      requests: members.length,
      latestDeadlineMs,
      expectedMs: batch.expectedMs,
      callers: members,
    });
    void run.then((outcome) => this.#finish(slot, batch, outcome));
  }

  #finish(slot: InFlightSlot, batch: Batch, outcome: RunOutcome): void {
    const nowMs = this.#clock.now();
    slot.remove(batch, nowMs);
    const again = finishBatch(batch, outcome, {
      nowMs,
      answers: this.#answers,
      mayShare: () => this.#joins,
      onRowsMismatch: () => this.#dependencies.onRowsMismatch?.(),
      onSharedRun: this.#dependencies.onSharedRun,
    });
    // A run that did not start was given to the runner after the one that it died in.
    this.#schedule.putBack(again, outcome.kind === 'not_started' ? 'behind' : 'before');
    if (outcome.kind === 'done') {
      this.cost.record(batch.rows, outcome.runMs, Math.max(0, nowMs - outcome.startedMs - outcome.runMs));
      this.#schedule.recordRun(batch, outcome.runMs);
      if (batch.members[0]?.isCheck !== true) this.#report(batch, outcome);
    }
    this.wake();
  }

  #report({ members, rows }: Batch, { startedMs, runMs }: Extract<RunOutcome, { kind: 'done' }>): void {
    this.#dependencies.onBatch?.({
      rows,
      maxRows: Math.max(rows, this.#options.maxSize),
      requests: members.length,
      startedMs,
      runMs,
      traces: tracesOf(members),
    });
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
    this.#schedule.remove(isUseless);
    for (const slot of this.#slots) for (const { members } of slot.batches) members.forEach(isUseless);
    return earliestMs;
  }

  #armDelay(nowMs: number): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    if (this.#options.maxDelayMs === 0 || !this.#slots.some((slot) => slot.isIdle)) return;
    const ripeMs = this.#schedule.ripeMs();
    if (ripeMs === Number.POSITIVE_INFINITY) return;
    this.#cancelDelay = this.#clock.setTimer(Math.max(1, Math.ceil(ripeMs - nowMs)), () => this.#dispatch());
  }
}

const noTraces: readonly TraceContext[] = [];

function tracesOf(members: Members): readonly TraceContext[] {
  const traced = members.some(({ trace }) => trace !== undefined);
  return traced ? members.flatMap(({ trace }) => trace ?? []) : noTraces;
}
