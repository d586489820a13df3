/** How many webhooks are called at the same time. */
export interface SlotLimits {
  /** In all. */
  readonly calls: number;
  /** Of one key; those without a key count for no key. */
  readonly ofOwner: number;
  /** Of one key to one host. */
  readonly ofHost: number;
  /** Of all slow hosts together. */
  readonly slow: number;
  /** That wait for a slow host of one key; for others, any number does. */
  readonly waitingSlow: number;
}

/** What waits for its call. */
export interface Waiting {
  readonly id: string;
  /** Id of the API key; empty without one. */
  readonly owner: string;
  readonly host: string;
}

interface HostQueue<Item> {
  readonly owner: string;
  waiting: Item[];
  calls: number;
  isSlow: boolean;
}

/** Hosts that were slow and have nothing to do now; the ones that were longest ago are forgotten. */
const rememberedHosts = 1000;

/**
 * Which webhook gets an in-flight slot next: queues, each of one key and one host, take turns, and those whose host is slow
 * come last and never take the slots of others. So a receiver that does not answer delays its own webhooks alone.
 */
export class InFlightSlots<Item extends Waiting> {
  readonly #limits: SlotLimits;
  /** In the order of their turns. */
  readonly #queues = new Map<string, HostQueue<Item>>();
  readonly #callsOfOwner = new Map<string, number>();
  /** Ids of what waits or is being called. */
  readonly #known = new Set<string>();
  #calls = 0;
  #slowCalls = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#known.size - this.#calls;
  }

  /** Queues items. Those that are known already, and those that wait too many for a slow host, are left out. */
  add(items: readonly Item[]): void {
    for (const item of items) {
      if (this.#known.has(item.id)) continue;
      const queue = this.#queueOf(item);
      if (queue.isSlow && queue.waiting.length >= this.#limits.waitingSlow) continue;
      queue.waiting.push(item);
      this.#known.add(item.id);
    }
  }

  /** What is to be called now; undefined when nothing waits, or all slots are taken. {@link end} is to follow. */
  next(): Item | undefined {
    if (this.#calls >= this.#limits.calls) return undefined;
    const queues = [...this.#queues];
    const found = queues.find(([, queue]) => !queue.isSlow && this.#mayCall(queue)) ?? this.#slowQueue(queues);
    const item = found?.[1].waiting.shift();
    if (found === undefined || item === undefined) return undefined;
    const [key, queue] = found;
    // Its turn is over.
    this.#queues.delete(key);
    this.#queues.set(key, queue);
    this.#count(queue, 1);
    return item;
  }

  /** The host has not answered for long: until it is quick again, most of what waits for it is left out. */
  markSlow(item: Item): void {
    const queue = this.#queueOf(item);
    if (queue.isSlow) return;
    this.#slowCalls += queue.calls;
    queue.isSlow = true;
    for (const { id } of queue.waiting.splice(this.#limits.waitingSlow)) this.#known.delete(id);
  }

  /** A call has ended. */
  end(item: Item, { wasSlow }: { readonly wasSlow: boolean }): void {
    if (wasSlow) this.markSlow(item);
    const queue = this.#queueOf(item);
    this.#count(queue, -1);
    this.#known.delete(item.id);
    if (!wasSlow && queue.isSlow) {
      queue.isSlow = false;
      this.#slowCalls -= queue.calls;
    }
    this.#forget();
  }

  /** Takes out everything that waits. */
  takeAll(): readonly Item[] {
    const items = [...this.#queues.values()].flatMap((queue) => queue.waiting.splice(0));
    for (const { id } of items) this.#known.delete(id);
    return items;
  }

  #slowQueue(queues: readonly [string, HostQueue<Item>][]): [string, HostQueue<Item>] | undefined {
    if (this.#slowCalls >= this.#limits.slow) return undefined;
    return queues.find(([, queue]) => queue.isSlow && this.#mayCall(queue));
  }

  #mayCall({ owner, waiting, calls }: HostQueue<Item>): boolean {
    const { ofHost, ofOwner } = this.#limits;
    if (waiting.length === 0 || calls >= ofHost) return false;
    return owner === '' || (this.#callsOfOwner.get(owner) ?? 0) < ofOwner;
  }

  #count(queue: HostQueue<Item>, change: 1 | -1): void {
    queue.calls += change;
    this.#calls += change;
    if (queue.isSlow) this.#slowCalls += change;
    const ofOwner = (this.#callsOfOwner.get(queue.owner) ?? 0) + change;
    if (ofOwner === 0) this.#callsOfOwner.delete(queue.owner);
    else this.#callsOfOwner.set(queue.owner, ofOwner);
  }

  #queueOf({ owner, host }: Item): HostQueue<Item> {
    const key = JSON.stringify([owner, host]);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { owner, waiting: [], calls: 0, isSlow: false };
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #forget(): void {
    let idle = [...this.#queues.values()].filter((queue) => isIdle(queue) && queue.isSlow).length;
    for (const [key, queue] of this.#queues) {
      if (!isIdle(queue) || (queue.isSlow && idle <= rememberedHosts)) continue;
      if (queue.isSlow) idle -= 1;
      this.#queues.delete(key);
    }
  }
}

function isIdle({ waiting, calls }: HostQueue<Waiting>): boolean {
  return waiting.length === 0 && calls === 0;
}
