/** Whose turn a job takes, and until when it is wanted. */
export interface Turn {
  /** Jobs of the same owner are done in the order of their coming; owners take turns. */
  readonly owner: object;
  /** Rejects what has not begun, with its reason. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly begin: () => void;
}

/**
 * Does at most so many jobs at once. Owners take turns, so that one with many jobs makes others wait for one of them, not
 * for all.
 */
export class Turns {
  readonly #maxConcurrent: number;
  /** In the order of their turns. */
  readonly #waiting = new Map<object, Waiting[]>();
  #running = 0;

  constructor(maxConcurrent: number) {
    this.#maxConcurrent = maxConcurrent;
  }

  /** @throws the reason of the signal when that is aborted before the job has begun; what the job throws */
  async take<Result>(turn: Turn, job: () => Promise<Result>): Promise<Result> {
    turn.signal?.throwIfAborted();
    if (this.#running >= this.#maxConcurrent) await this.#wait(turn);
    this.#running += 1;
    try {
      return await job();
    } finally {
      this.#running -= 1;
      this.#beginNext();
    }
  }

  #wait({ owner, signal }: Turn): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#remove(owner, waiting);
        reject(signal?.reason);
      };
      const waiting = {
        begin: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      const others = this.#waiting.get(owner);
      if (others === undefined) this.#waiting.set(owner, [waiting]);
      else others.push(waiting);
    });
  }

  #beginNext(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [owner, [next, ...others]] = first;
    this.#waiting.delete(owner);
    if (others.length > 0) this.#waiting.set(owner, others);
    next?.begin();
  }

  #remove(owner: object, waiting: Waiting): void {
    const others = this.#waiting.get(owner)?.filter((one) => one !== waiting) ?? [];
    if (others.length === 0) this.#waiting.delete(owner);
    else this.#waiting.set(owner, others);
  }
}
