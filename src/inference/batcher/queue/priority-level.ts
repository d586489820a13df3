import type { Pending } from '../pending.ts';

/** Taken requests that a level may hold before it gives their memory back. */
const maxTaken = 64;

/** Waiting requests of one group and one level, in the order of arrival. */
export class PriorityLevel {
  readonly level: number;
  #items: (Pending | undefined)[] = [];
  /** Where the oldest waiting request stands; what is before it has been taken. */
  #start = 0;

  constructor(level: number) {
    this.level = level;
  }

  get first(): Pending | undefined {
    return this.#items[this.#start];
  }

  push(pending: Pending): void {
    this.#items.push(pending);
  }

  shift(): Pending | undefined {
    const first = this.#items[this.#start];
    if (first === undefined) return undefined;
    // An array that has grown old would keep what was taken from the collector of young garbage, with all that it refers to.
    this.#items[this.#start] = undefined;
    this.#start += 1;
    if (this.#start >= maxTaken && this.#start * 2 >= this.#items.length) this.#dropTaken();
    return first;
  }

  /** Takes out every request for which `isGone` holds. */
  remove(isGone: (pending: Pending) => boolean): Pending[] {
    this.#dropTaken();
    const removed: Pending[] = [];
    const kept: Pending[] = [];
    for (const item of this.#items) if (item !== undefined) (isGone(item) ? removed : kept).push(item);
    this.#items = kept;
    return removed;
  }

  #dropTaken(): void {
    this.#items.splice(0, this.#start);
    this.#start = 0;
  }
}
