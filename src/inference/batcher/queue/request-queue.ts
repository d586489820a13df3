import type { Pending } from '../pending.ts';
import { RequestGroup } from './request-group.ts';

/** What waits before a request. */
export interface Ahead {
  readonly requests: number;
  readonly rows: number;
}

/** The requests that wait for a run, kept by group, and how much they are. */
export class RequestQueue {
  /**
   * Those in which requests wait. An array, since groups come and go with every run: the table of a map that is made anew
   * all the time refers to the next one, and once one is old, all that waited survives until a full collection.
   */
  readonly #groups: RequestGroup[] = [];
  /** Waiting requests and rows by level. */
  readonly #levels: { requests: number; rows: number }[] = [];
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
    return this.#groups.length;
  }

  push(pending: Pending): void {
    let group = this.group(pending.group);
    if (group === undefined) {
      group = new RequestGroup(pending.group);
      this.#groups.push(group);
    }
    group.push(pending);
    this.#count(pending, 1);
  }

  /** Takes the request of the group whose turn it is. */
  shift(group: RequestGroup): Pending | undefined {
    const pending = group.shift();
    if (pending !== undefined) this.#forget(group, pending);
    return pending;
  }

  group(key: string | undefined): RequestGroup | undefined {
    for (const group of this.#groups) if (group.key === key) return group;
    return undefined;
  }

  /** The group with the most urgent request, and the oldest of them, of those that fulfil the condition. */
  nextGroup(condition: (group: RequestGroup) => boolean): RequestGroup | undefined {
    let next: RequestGroup | undefined;
    for (const group of this.#groups) {
      if (comesBefore(group.first, next?.first) && condition(group)) next = group;
    }
    return next;
  }

  /** The lowest value over all groups; infinity when nothing waits. */
  earliest(timeMs: (group: RequestGroup) => number): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const group of this.#groups) earliestMs = Math.min(earliestMs, timeMs(group));
    return earliestMs;
  }

  /** What has its turn before a request of that level that comes now. */
  ahead(level: number): Ahead {
    let requests = 0;
    let rows = 0;
    for (let i = 0; i <= level; i += 1) {
      requests += this.#levels[i]?.requests ?? 0;
      rows += this.#levels[i]?.rows ?? 0;
    }
    return { requests, rows };
  }

  /** Takes out every request for which `isGone` holds. */
  remove(isGone: (pending: Pending) => boolean): Pending[] {
    const removed: Pending[] = [];
    for (const group of [...this.#groups]) {
      for (const pending of group.remove(isGone)) {
        this.#forget(group, pending);
        removed.push(pending);
      }
    }
    return removed;
  }

  #forget(group: RequestGroup, pending: Pending): void {
    this.#count(pending, -1);
    if (group.first === undefined) this.#groups.splice(this.#groups.indexOf(group), 1);
  }

  #count({ level, rows, bytes }: Pending, sign: 1 | -1): void {
    this.#length += sign;
    this.#rows += sign * rows;
    this.#bytes += sign * bytes;
    this.#levels[level] ??= { requests: 0, rows: 0 };
    const counts = this.#levels[level];
    counts.requests += sign;
    counts.rows += sign * rows;
  }
}

function comesBefore(one: Pending | undefined, other: Pending | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined;
  return one.level === other.level ? one.order < other.order : one.level < other.level;
}
