import type { Pending } from './pending.ts';
import { RequestGroup } from './request-group.ts';

/** The requests that wait for a run, kept by group, and how much they are. */
export class RequestQueue {
  readonly #groups = new Map<string | undefined, RequestGroup>();
  #length = 0;
  #rows = 0;
  #bytes = 0;

  /** Waiting requests. */
  get length(): number {
    return this.#length;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  push(pending: Pending): void {
    let group = this.#groups.get(pending.group);
    if (group === undefined) {
      group = new RequestGroup(pending.group);
      this.#groups.set(pending.group, group);
    }
    group.push(pending);
    this.#length += 1;
    this.#rows += pending.rows;
    this.#bytes += pending.bytes;
  }

  /** Takes the oldest request of the group. */
  shift(group: RequestGroup): Pending | undefined {
    const pending = group.shift();
    if (pending !== undefined) this.#forget(group, pending);
    return pending;
  }

  /** The group whose oldest request came first, of those that fulfil the condition. */
  oldestGroup(condition: (group: RequestGroup) => boolean): RequestGroup | undefined {
    let oldest: RequestGroup | undefined;
    let lowestOrder = Number.POSITIVE_INFINITY;
    for (const group of this.#groups.values()) {
      const order = group.first?.order ?? Number.POSITIVE_INFINITY;
      if (order < lowestOrder && condition(group)) {
        oldest = group;
        lowestOrder = order;
      }
    }
    return oldest;
  }

  /** The lowest value over all groups; infinity when nothing waits. */
  earliest(timeMs: (group: RequestGroup) => number): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const group of this.#groups.values()) earliestMs = Math.min(earliestMs, timeMs(group));
    return earliestMs;
  }

  /** Takes out every request for which `isGone` holds. */
  remove(isGone: (pending: Pending) => boolean): Pending[] {
    const removed: Pending[] = [];
    for (const group of this.#groups.values()) {
      for (const pending of group.remove(isGone)) {
        this.#forget(group, pending);
        removed.push(pending);
      }
    }
    return removed;
  }

  #forget(group: RequestGroup, pending: Pending): void {
    this.#length -= 1;
    this.#rows -= pending.rows;
    this.#bytes -= pending.bytes;
    if (group.first === undefined) this.#groups.delete(group.key);
  }
}
