import { AppError } from '../../../errors.ts';
import { backgroundLevel, levelOf, type Priority } from '../../priority.ts';
import type { HeldBinding } from '../graph-binding.ts';
import type { GraphPlan } from '../graph-plan.ts';

/** What the background may take of a bound. */
const backgroundShare = 1 / 4;

/** The requests that are under way in a graph, and the tensors between their steps. */
export class UnderWay {
  readonly #requests: InFlight[] = [];
  readonly #waiters: (() => void)[] = [];
  #background = 0;
  #bytes = 0;
  #backgroundBytes = 0;

  /**
   * Lets a request in, until {@link InFlight.leave}.
   *
   * @throws AppError `QUEUE_FULL`
   */
  enter(held: HeldBinding, priority: Priority | undefined): InFlight {
    const { maxInFlight } = held.plan;
    const isBackground = levelOf(priority) === backgroundLevel;
    if (this.#requests.length >= maxInFlight) throw full(maxInFlight, this.#requests.length);
    const most = isBackground ? shareOf(maxInFlight) : maxInFlight;
    if (isBackground && this.#background >= most) throw full(most, this.#background);
    this.#checkBytes(held.plan, isBackground, 1);
    const request = new InFlight(this, held, isBackground);
    request.index = this.#requests.length;
    this.#requests.push(request);
    if (isBackground) this.#background += 1;
    return request;
  }

  /** @throws AppError `QUEUE_FULL` */
  hold({ held, isBackground }: InFlight, bytes: number): void {
    if (bytes > 0) this.#checkBytes(held.plan, isBackground, bytes);
    this.#bytes += bytes;
    if (isBackground) this.#backgroundBytes += bytes;
  }

  leave(request: InFlight): void {
    // The last one takes its place: a set would cost more than anything else here.
    const last = this.#requests.pop();
    if (last !== undefined && last !== request) {
      this.#requests[request.index] = last;
      last.index = request.index;
    }
    if (request.isBackground) this.#background -= 1;
    request.held.release();
    if (this.#requests.length > 0 || this.#waiters.length === 0) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** What is held, once for each request. */
  bindings(): HeldBinding[] {
    return this.#requests.map(({ held }) => held);
  }

  /** Resolves when nothing is under way. */
  whenNone(): Promise<void> {
    if (this.#requests.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #checkBytes({ maxInFlightBytes }: GraphPlan, isBackground: boolean, bytes: number): void {
    const most = isBackground ? shareOf(maxInFlightBytes) : maxInFlightBytes;
    const held = isBackground ? this.#backgroundBytes : this.#bytes;
    if (held + bytes <= most && this.#bytes + bytes <= maxInFlightBytes) return;
    throw new AppError('QUEUE_FULL', {
      message: `The tensors between the steps of the graph take ${held + bytes} bytes, at most ${most} (maxInFlightBytes) may`,
      received: held + bytes,
      expected: most,
      retryAfterSeconds: 1,
    });
  }
}

/** A request that is under way. */
export class InFlight {
  readonly held: HeldBinding;
  readonly isBackground: boolean;
  /** Its place among all. */
  index = 0;
  readonly #all: UnderWay;

  constructor(all: UnderWay, held: HeldBinding, isBackground: boolean) {
    this.#all = all;
    this.held = held;
    this.isBackground = isBackground;
  }

  /**
   * Counts bytes of tensors between steps; negative ones when they are dropped.
   *
   * @throws AppError `QUEUE_FULL`
   */
  hold(bytes: number): void {
    this.#all.hold(this, bytes);
  }

  leave(): void {
    this.#all.leave(this);
  }
}

function shareOf(most: number): number {
  return Math.max(1, Math.floor(most * backgroundShare));
}

function full(most: number, received: number): AppError {
  return new AppError('QUEUE_FULL', {
    message: `${received} requests are under way in the graph, at most ${most} (maxInFlight) may be`,
    received,
    expected: most,
    retryAfterSeconds: 1,
  });
}
