import type { AppError, ErrorCode } from '../../errors.ts';
import type { DeadlyInputs } from '../deadly-inputs.ts';
import type { SafetyMargin } from './cost/safety-margin.ts';
import { type Answer, isBackground, type Pending } from './pending.ts';
import { clientGone, deadlineExceeded, killedRunner } from './refusals.ts';

/** Answers every admitted request exactly once, and counts those that have no answer yet. */
export class Answers {
  readonly #onRefusal: ((code: ErrorCode) => void) | undefined;
  readonly #margin: SafetyMargin;
  readonly #deadly: DeadlyInputs;
  readonly #waiters: (() => void)[] = [];
  #open = 0;

  constructor(margin: SafetyMargin, deadly: DeadlyInputs, onRefusal?: (code: ErrorCode) => void) {
    this.#margin = margin;
    this.#deadly = deadly;
    this.#onRefusal = onRefusal;
  }

  /** Requests without an answer. */
  get open(): number {
    return this.#open;
  }

  expect(): void {
    this.#open += 1;
  }

  resolve(pending: Pending, answer: Answer, nowMs: number): void {
    if (pending.settled) return;
    if (nowMs > pending.deadlineMs) {
      this.reject(pending, deadlineExceeded());
      return;
    }
    this.#settle(pending);
    if (!isBackground(pending)) this.#margin.wasInTime();
    pending.resolve(answer);
  }

  reject(pending: Pending, error: AppError): void {
    if (pending.settled) return;
    this.#settle(pending);
    if (error.code === 'DEADLINE_EXCEEDED' && !isBackground(pending)) this.#margin.wasLate();
    this.#onRefusal?.(error.code);
    pending.reject(error);
  }

  /**
   * Rejects a request that is past its deadline, whose client is gone, or whose inputs ended a runner before. Returns
   * whether the request needs no run any more.
   */
  drop(pending: Pending, nowMs: number): boolean {
    if (pending.settled) return true;
    if (nowMs >= pending.deadlineMs) this.reject(pending, deadlineExceeded());
    else if (pending.signal.aborted) this.reject(pending, clientGone());
    else this.#dropDeadly(pending, nowMs);
    return pending.settled;
  }

  /** Rejects a request that was alone in the run that its runner crashed in, and every other with the same inputs. */
  blame(pending: Pending, reason: string, nowMs: number): void {
    this.#deadly.remember(pending.inputs, reason, nowMs);
    this.reject(pending, killedRunner(reason));
  }

  #dropDeadly(pending: Pending, nowMs: number): void {
    const reason = this.#deadly.reasonOf(pending.inputs, nowMs);
    if (reason !== undefined) this.reject(pending, killedRunner(reason));
  }

  /** Resolves when no request is without an answer. */
  whenNoneOpen(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #settle(pending: Pending): void {
    pending.settled = true;
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
