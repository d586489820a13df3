import { AppError } from '../errors.ts';

/** Bytes of one body; what is taken is given back when its request has ended. */
export interface BodyLease {
  /**
   * Takes so many bytes more.
   *
   * @throws AppError `BODIES_TOO_LARGE`
   */
  take(bytes: number): void;
  /** Gives back what turned out not to be needed. */
  giveBack(bytes: number): void;
  /** Gives back everything; what is taken later is not counted. */
  end(): void;
}

/** How many bytes the bodies of all requests may have that are under way. */
export class BodyBudget {
  readonly limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Bytes that are taken. */
  get bytes(): number {
    return this.#bytes;
  }

  lease(): BodyLease {
    let own = 0;
    let ended = false;
    const giveBack = (bytes: number) => {
      own -= bytes;
      this.#bytes -= bytes;
    };
    return {
      take: (bytes) => {
        if (ended) return;
        // A body that is alone is bounded by itself.
        if (this.#bytes > own && this.#bytes + bytes > this.limitBytes) throw this.#refuse();
        own += bytes;
        this.#bytes += bytes;
      },
      giveBack: (bytes) => {
        if (!ended) giveBack(bytes);
      },
      end: () => {
        if (!ended) giveBack(own);
        ended = true;
      },
    };
  }

  #refuse(): AppError {
    return new AppError('BODIES_TOO_LARGE', {
      message: `The bodies of the requests under way have ${this.limitBytes} bytes together (BODIES_LIMIT_BYTES)`,
      expected: this.limitBytes,
      retryAfterSeconds: 1,
    });
  }
}
