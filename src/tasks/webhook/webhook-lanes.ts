/** How many webhooks are called at the same time. */
export interface LaneLimits {
  /** In all. */
  readonly calls: number;
  /** Of one key; those without a key are no one's. */
  readonly ofOwner: number;
  /** Of one key to one host: of one lane. */
  readonly ofLane: number;
  /** Of all lanes together whose host is slow. */
  readonly slow: number;
  /** That wait in a lane whose host is slow; of others, any number does. */
  readonly waitingSlow: number;
}

/** What waits for its call. */
export interface Waiting {
  readonly id: string;
  /** Id of the API key; empty without one. */
  readonly owner: string;
  readonly host: string;
}

interface Lane<Item> {
  readonly owner: string;
  waiting: Item[];
  calls: number;
  isSlow: boolean;
}

/** Hosts that were slow and have nothing to do now; the ones that were longest ago are forgotten. */
const rememberedLanes = 1000;

/**
 * Who is called next: lanes, each of one key and one host, take turns, and those whose host is slow come last and never
 * take the places of others. So a receiver that says nothing delays its own webhooks alone.
 */
export class WebhookLanes<Item extends Waiting> {
  readonly #limits: LaneLimits;
  /** In the order of their turns. */
  readonly #lanes = new Map<string, Lane<Item>>();
  readonly #callsOfOwner = new Map<string, number>();
  /** Ids of what waits or is being called. */
  readonly #known = new Set<string>();
  #calls = 0;
  #slowCalls = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#known.size - this.#calls;
  }

  /** Lets items wait. Those that are known already, and those that wait too many for a slow host, are left out. */
  add(items: readonly Item[]): void {
    for (const item of items) {
      if (this.#known.has(item.id)) continue;
      const lane = this.#laneOf(item);
      if (lane.isSlow && lane.waiting.length >= this.#limits.waitingSlow) continue;
      lane.waiting.push(item);
      this.#known.add(item.id);
    }
  }

  /** What is to be called now; undefined when nothing waits, or all places are taken. {@link end} is to follow. */
  next(): Item | undefined {
    if (this.#calls >= this.#limits.calls) return undefined;
    const lanes = [...this.#lanes];
    const found = lanes.find(([, lane]) => !lane.isSlow && this.#mayCall(lane)) ?? this.#slowLane(lanes);
    const item = found?.[1].waiting.shift();
    if (found === undefined || item === undefined) return undefined;
    const [key, lane] = found;
    // Its turn is over.
    this.#lanes.delete(key);
    this.#lanes.set(key, lane);
    this.#count(lane, 1);
    return item;
  }

  /** The host has not answered for long: until it is quick again, most of what waits for it is left out. */
  markSlow(item: Item): void {
    const lane = this.#laneOf(item);
    if (lane.isSlow) return;
    this.#slowCalls += lane.calls;
    lane.isSlow = true;
    for (const { id } of lane.waiting.splice(this.#limits.waitingSlow)) this.#known.delete(id);
  }

  /** A call has ended. */
  end(item: Item, { wasSlow }: { readonly wasSlow: boolean }): void {
    if (wasSlow) this.markSlow(item);
    const lane = this.#laneOf(item);
    this.#count(lane, -1);
    this.#known.delete(item.id);
    if (!wasSlow && lane.isSlow) {
      lane.isSlow = false;
      this.#slowCalls -= lane.calls;
    }
    this.#forget();
  }

  /** Takes out everything that waits. */
  takeAll(): readonly Item[] {
    const items = [...this.#lanes.values()].flatMap((lane) => lane.waiting.splice(0));
    for (const { id } of items) this.#known.delete(id);
    return items;
  }

  #slowLane(lanes: readonly [string, Lane<Item>][]): [string, Lane<Item>] | undefined {
    if (this.#slowCalls >= this.#limits.slow) return undefined;
    return lanes.find(([, lane]) => lane.isSlow && this.#mayCall(lane));
  }

  #mayCall({ owner, waiting, calls }: Lane<Item>): boolean {
    const { ofLane, ofOwner } = this.#limits;
    if (waiting.length === 0 || calls >= ofLane) return false;
    return owner === '' || (this.#callsOfOwner.get(owner) ?? 0) < ofOwner;
  }

  #count(lane: Lane<Item>, change: 1 | -1): void {
    lane.calls += change;
    this.#calls += change;
    if (lane.isSlow) this.#slowCalls += change;
    const ofOwner = (this.#callsOfOwner.get(lane.owner) ?? 0) + change;
    if (ofOwner === 0) this.#callsOfOwner.delete(lane.owner);
    else this.#callsOfOwner.set(lane.owner, ofOwner);
  }

  #laneOf({ owner, host }: Item): Lane<Item> {
    const key = JSON.stringify([owner, host]);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { owner, waiting: [], calls: 0, isSlow: false };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #forget(): void {
    let idle = [...this.#lanes.values()].filter((lane) => isIdle(lane) && lane.isSlow).length;
    for (const [key, lane] of this.#lanes) {
      if (!isIdle(lane) || (lane.isSlow && idle <= rememberedLanes)) continue;
      if (lane.isSlow) idle -= 1;
      this.#lanes.delete(key);
    }
  }
}

function isIdle({ waiting, calls }: Lane<Waiting>): boolean {
  return waiting.length === 0 && calls === 0;
}
