import type { Pending } from './pending.ts';

/** Taken requests that a group may hold before it gives their memory back. */
const maxTaken = 64;

/** Waiting requests that can share a run, in the order of arrival. */
export class RequestGroup {
  readonly key: string | undefined;
  #rows = 0;
  #items: Pending[] = [];
  /** Where the oldest waiting request stands; what is before it has been taken. */
  #start = 0;

  constructor(key: string | undefined) {
    this.key = key;
  }

  /** Waiting rows. */
  get rows(): number {
    return this.#rows;
  }

  /** False for the group of those that run by themselves. */
  get joins(): boolean {
    return this.key !== undefined;
  }

  get first(): Pending | undefined {
    return this.#items[this.#start];
  }

  push(pending: Pending): void {
    this.#items.push(pending);
    this.#rows += pending.rows;
  }

  shift(): Pending | undefined {
    const first = this.#items[this.#start];
    if (first === undefined) return undefined;
    this.#start += 1;
    this.#rows -= first.rows;
    if (this.#start >= maxTaken && this.#start * 2 >= this.#items.length) this.#dropTaken();
    return first;
  }

  remove(isGone: (pending: Pending) => boolean): Pending[] {
    this.#dropTaken();
    const removed: Pending[] = [];
    const kept: Pending[] = [];
    for (const item of this.#items) (isGone(item) ? removed : kept).push(item);
    for (const item of removed) this.#rows -= item.rows;
    this.#items = kept;
    return removed;
  }

  #dropTaken(): void {
    this.#items.splice(0, this.#start);
    this.#start = 0;
  }
}
