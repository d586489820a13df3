import { countFitting } from '../../storage/count-fitting.ts';

/** How much one transaction takes; a single item may be larger. */
export interface GroupLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

export interface GroupBounds<Item> extends GroupLimits {
  readonly bytesOf: (item: Item) => number;
}

/**
 * Joins what many want to write into few transactions: while one is under way, what comes is gathered for the next. So a
 * single write does not wait, and a thousand cost little more than one.
 */
export class GroupCommit<Item, Outcome> {
  readonly #commit: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  readonly #bounds: GroupBounds<Item>;
  #waiting: Waiting<Item, Outcome>[] = [];
  #isWorking = false;
  #work: Promise<void> = Promise.resolve();

  /** @param commit writes all of them or none, and gives an outcome for each, in order */
  constructor(commit: (items: readonly Item[]) => Promise<readonly Outcome[]>, bounds: GroupBounds<Item>) {
    this.#commit = commit;
    this.#bounds = bounds;
  }

  /** Resolves when the item has been written. */
  add(item: Item): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isWorking) this.#work = this.#writeAll();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#isWorking) await this.#work;
  }

  async #writeAll(): Promise<void> {
    this.#isWorking = true;
    // What is added in the same turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#write(this.#waiting.splice(0, this.#groupSize()));
    }
    // In the same turn as the look at what waits: what came between would wait for ever.
    this.#isWorking = false;
  }

  #groupSize(): number {
    const { maxItems, maxBytes, bytesOf } = this.#bounds;
    const most = { rows: maxItems, bytes: maxBytes };
    return countFitting(this.#waiting, most, ({ item }) => ({ rows: 1, bytes: bytesOf(item) }));
  }

  async #write(group: readonly Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#commit(group.map(({ item }) => item));
      for (const [index, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) reject(new Error('a write of a group has no outcome'));
        else resolve(outcome);
      }
    } catch (thrown) {
      for (const { reject } of group) reject(thrown);
    }
  }
}

interface Waiting<Item, Outcome> {
  readonly item: Item;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (thrown: unknown) => void;
}
