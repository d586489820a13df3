import { AppError } from '../../errors.ts';

/** Tasks that are not finished, and the bytes of their inputs. */
export interface Amount {
  readonly tasks: number;
  readonly bytes: number;
}

export interface QuotaLimits {
  /** Of one key; those without a key count for no key. */
  readonly ofCaller: Amount;
  /** Of all keys together. */
  readonly inAll: Amount;
}

export interface QuotaDependencies {
  /** What waits, by the id of the key that handed it in. */
  readonly count: () => Promise<ReadonlyMap<string, Amount>>;
  readonly clock: { now(): number };
}

/** How old the count may be while there is room, and when there seems to be none. */
const maxAgeMs = { withRoom: 10_000, without: 200 };
/** A count of many tasks takes long, and must not be all that the database does. */
const leastPauseRatio = 20;
const retryAfterSeconds = 30;
const nothing: Amount = { tasks: 0, bytes: 0 };

/**
 * How much may wait: a client that may submit tasks could fill the disk otherwise. What the database has is counted now and
 * then, and what this process adds meanwhile is added; what is finished meanwhile counts until the next count.
 */
export class TaskQuota {
  readonly #limits: QuotaLimits;
  readonly #dependencies: QuotaDependencies;
  #counted: ReadonlyMap<string, Amount> = new Map();
  /** Added since the last count began. */
  #added = new Map<string, Amount>();
  /** About to be added. */
  readonly #arriving = new Map<string, Amount>();
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #nextCountMs = Number.NEGATIVE_INFINITY;
  #counting: Promise<void> | undefined;

  constructor(limits: QuotaLimits, dependencies: QuotaDependencies) {
    this.#limits = limits;
    this.#dependencies = dependencies;
  }

  /**
   * Makes room for a task.
   *
   * @param owner id of the key; empty without one
   * @returns to be called once when the task is kept, or is not
   * @throws AppError `TASK_QUOTA_EXCEEDED` for the key, `TASKS_FULL` for all keys together, and what counting throws
   */
  async enter(owner: string, bytes: number): Promise<(isKept: boolean) => void> {
    const { clock } = this.#dependencies;
    if (clock.now() - this.#countedAtMs > maxAgeMs.withRoom) await this.#count();
    if (this.#refusal(owner, bytes) !== undefined) await this.#count();
    const refusal = this.#refusal(owner, bytes);
    if (refusal !== undefined) throw refusal;
    const amount = { tasks: 1, bytes };
    change(this.#arriving, owner, amount, 1);
    return (isKept) => {
      change(this.#arriving, owner, amount, -1);
      if (isKept) change(this.#added, owner, amount, 1);
    };
  }

  #count(): Promise<void> {
    if (this.#counting !== undefined) return this.#counting;
    if (this.#dependencies.clock.now() < this.#nextCountMs) return Promise.resolve();
    this.#counting = this.#countNow().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  async #countNow(): Promise<void> {
    const { clock, count } = this.#dependencies;
    const startedMs = clock.now();
    const before = this.#added;
    this.#added = new Map();
    try {
      this.#counted = await count();
    } catch (thrown) {
      for (const [owner, amount] of before) change(this.#added, owner, amount, 1);
      throw thrown;
    }
    this.#countedAtMs = startedMs;
    const nowMs = clock.now();
    this.#nextCountMs = nowMs + Math.max(maxAgeMs.without, leastPauseRatio * (nowMs - startedMs));
  }

  #refusal(owner: string, bytes: number): AppError | undefined {
    const { ofCaller, inAll } = this.#limits;
    const maps = [this.#counted, this.#added, this.#arriving];
    const all = sum(maps.flatMap((map) => [...map.values()]));
    const faultOfAll = fault(all, inAll, bytes, allSettings);
    if (faultOfAll !== undefined) {
      const message = `Too much waits already: ${faultOfAll.message}`;
      return new AppError('TASKS_FULL', { ...faultOfAll, message, retryAfterSeconds });
    }
    if (owner === '') return undefined;
    const own = sum(maps.map((map) => map.get(owner) ?? nothing));
    const faultOfCaller = fault(own, ofCaller, bytes, callerSettings);
    if (faultOfCaller === undefined) return undefined;
    const message = `Too much of this key waits already: ${faultOfCaller.message}`;
    return new AppError('TASK_QUOTA_EXCEEDED', { ...faultOfCaller, message, retryAfterSeconds });
  }
}

const allSettings = { tasks: 'TASK_MAX_WAITING', bytes: 'TASK_MAX_WAITING_BYTES' };
const callerSettings = { tasks: 'TASK_MAX_WAITING_PER_CALLER', bytes: 'TASK_MAX_WAITING_BYTES_PER_CALLER' };

function fault(present: Amount, limit: Amount, bytes: number, settings: { tasks: string; bytes: string }) {
  for (const [what, received] of [
    ['tasks', present.tasks + 1],
    ['bytes', present.bytes + bytes],
  ] as const) {
    if (received <= limit[what]) continue;
    const message = `with this task ${received} ${what}, and ${settings[what]} allows ${limit[what]}`;
    return { message, received, expected: limit[what] };
  }
  return undefined;
}

function sum(amounts: readonly Amount[]): Amount {
  let tasks = 0;
  let bytes = 0;
  for (const amount of amounts) {
    tasks += amount.tasks;
    bytes += amount.bytes;
  }
  return { tasks, bytes };
}

function change(map: Map<string, Amount>, owner: string, by: Amount, sign: 1 | -1): void {
  const { tasks, bytes } = map.get(owner) ?? nothing;
  const changed = { tasks: tasks + sign * by.tasks, bytes: bytes + sign * by.bytes };
  if (changed.tasks === 0) map.delete(owner);
  else map.set(owner, changed);
}
