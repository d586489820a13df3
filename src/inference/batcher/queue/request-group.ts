import type { Pending } from '../pending.ts';
import { PriorityLevel } from './priority-level.ts';

/** Waiting requests that can share a run, by level, and within a level in the order of arrival. */
export class RequestGroup {
  readonly key: string | undefined;
  /** Those in which requests wait, the most urgent first. */
  #levels: PriorityLevel[] = [];
  #rows = 0;

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

  /** The request whose turn it is. */
  get first(): Pending | undefined {
    return this.#levels[0]?.first;
  }

  /** When the oldest request came; infinity when none waits. */
  get oldestMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { first } of this.#levels) oldestMs = Math.min(oldestMs, first?.enqueuedMs ?? oldestMs);
    return oldestMs;
  }

  push(pending: Pending): void {
    this.#level(pending.level).push(pending);
    this.#rows += pending.rows;
  }

  shift(): Pending | undefined {
    const [level] = this.#levels;
    const first = level?.shift();
    if (first === undefined) return undefined;
    this.#rows -= first.rows;
    if (level?.first === undefined) this.#levels.shift();
    return first;
  }

  /** Takes out every request for which `isGone` holds. */
  remove(isGone: (pending: Pending) => boolean): Pending[] {
    const removed = this.#levels.flatMap((level) => level.remove(isGone));
    for (const { rows } of removed) this.#rows -= rows;
    this.#levels = this.#levels.filter(({ first }) => first !== undefined);
    return removed;
  }

  #level(number: number): PriorityLevel {
    const index = this.#levels.findIndex(({ level }) => level >= number);
    const found = this.#levels[index];
    if (found?.level === number) return found;
    const level = new PriorityLevel(number);
    this.#levels.splice(index === -1 ? this.#levels.length : index, 0, level);
    return level;
  }
}
