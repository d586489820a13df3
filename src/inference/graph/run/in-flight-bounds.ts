import { AppError } from '../../../errors.ts';
import { backgroundLevel, levelOf, type Priority } from '../../priority.ts';

interface Bounds {
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
}

/** What the background may take of a bound. */
const backgroundShare = 1 / 4;

/** What is under way in a graph: requests, and tensors between their steps. */
export class InFlightBounds {
  #requests = 0;
  #background = 0;
  #bytes = 0;
  #backgroundBytes = 0;

  /**
   * Lets a request in; to be given back by {@link InFlight.leave}.
   *
   * @throws AppError `QUEUE_FULL`
   */
  enter(bounds: Bounds, priority: Priority | undefined): InFlight {
    const isBackground = levelOf(priority) === backgroundLevel;
    if (this.#requests >= bounds.maxInFlight) throw full(bounds.maxInFlight, this.#requests);
    const most = isBackground ? shareOf(bounds.maxInFlight) : bounds.maxInFlight;
    if (isBackground && this.#background >= most) throw full(most, this.#background);
    this.#checkBytes(bounds, isBackground, 1);
    this.#requests += 1;
    if (isBackground) this.#background += 1;
    return new InFlight(this, bounds, isBackground);
  }

  /** @throws AppError `QUEUE_FULL` */
  hold(bounds: Bounds, isBackground: boolean, bytes: number): void {
    if (bytes > 0) this.#checkBytes(bounds, isBackground, bytes);
    this.#bytes += bytes;
    if (isBackground) this.#backgroundBytes += bytes;
  }

  leave(isBackground: boolean): void {
    this.#requests -= 1;
    if (isBackground) this.#background -= 1;
  }

  #checkBytes({ maxInFlightBytes }: Bounds, isBackground: boolean, bytes: number): void {
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
  readonly #all: InFlightBounds;
  readonly #bounds: Bounds;
  readonly #isBackground: boolean;

  constructor(all: InFlightBounds, bounds: Bounds, isBackground: boolean) {
    this.#all = all;
    this.#bounds = bounds;
    this.#isBackground = isBackground;
  }

  /**
   * Counts bytes of tensors between steps; negative ones when they are dropped.
   *
   * @throws AppError `QUEUE_FULL`
   */
  hold(bytes: number): void {
    this.#all.hold(this.#bounds, this.#isBackground, bytes);
  }

  leave(): void {
    this.#all.leave(this.#isBackground);
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
