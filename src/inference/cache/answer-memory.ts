import { LRUCache } from 'lru-cache';
import type { Clock } from '../../timing/clock.ts';
import type { CacheEvents } from './cache-events.ts';
import { type PackedAnswer, packedBytes } from './packed-answer.ts';

/** About what an entry takes beside its bytes: objects, the key, and its places in the tables. */
const overheadBytes = 400;

interface Entry {
  readonly owner: VersionAnswers;
  readonly answer: PackedAnswer;
}

export interface FoundAnswer {
  readonly answer: PackedAnswer;
  readonly ttlMs: number;
}

/** The answers of all models that are kept in the memory of this process: of what was not asked for longest the least. */
export class AnswerMemory {
  readonly #entries: LRUCache<string, Entry>;
  readonly #maxBytes: number;

  /** @param maxBytes over all models together */
  constructor(maxBytes: number, clock: Pick<Clock, 'now'>) {
    this.#maxBytes = maxBytes;
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ answer }) => bytesOf(answer),
      // An entry that begins at 0 would have no end.
      perf: { now: () => clock.now() + 1 },
      // The clock is read each time: how long it stands still is up to it.
      ttlResolution: 0,
      dispose: ({ owner, answer }, key, reason) => {
        owner.forgotten(key, bytesOf(answer));
        if (reason === 'evict') owner.events?.onEvicted?.('size', 1);
        if (reason === 'expire') owner.events?.onEvicted?.('ttl', 1);
      },
    });
  }

  /** The answers of one loaded version, of which others know nothing. */
  open(events?: CacheEvents): VersionAnswers {
    return new VersionAnswers(this.#entries, this.#maxBytes, events);
  }
}

/** The answers of one version, among those of all models. */
export class VersionAnswers {
  readonly events: CacheEvents | undefined;
  readonly #entries: LRUCache<string, Entry>;
  readonly #maxBytes: number;
  readonly #keys = new Set<string>();
  #bytes = 0;

  constructor(entries: LRUCache<string, Entry>, maxBytes: number, events: CacheEvents | undefined) {
    this.#entries = entries;
    this.#maxBytes = maxBytes;
    this.events = events;
  }

  get entries(): number {
    return this.#keys.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(key: string): FoundAnswer | undefined {
    const entry = this.#entries.get(key);
    return entry && { answer: entry.answer, ttlMs: this.#entries.getRemainingTTL(key) };
  }

  /** @returns whether there is room for it */
  keep(key: string, answer: PackedAnswer, ttlMs: number): boolean {
    const bytes = bytesOf(answer);
    if (bytes > this.#maxBytes || ttlMs <= 0) return false;
    this.#entries.set(key, { owner: this, answer }, { ttl: Math.max(1, Math.floor(ttlMs)) });
    this.#keys.add(key);
    this.#bytes += bytes;
    return true;
  }

  /** @returns how many answers there were */
  clear(): number {
    const count = this.#keys.size;
    for (const key of [...this.#keys]) this.#entries.delete(key);
    return count;
  }

  /** Is told of every entry that goes, whyever. */
  forgotten(key: string, bytes: number): void {
    if (this.#keys.delete(key)) this.#bytes -= bytes;
  }
}

function bytesOf(answer: PackedAnswer): number {
  return overheadBytes + packedBytes(answer);
}
