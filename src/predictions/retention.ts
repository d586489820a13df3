import { toAppError } from '../errors.ts';
import type { Storage } from '../storage/storage.ts';
import { type Day, dayOf } from './day.ts';
import { createPartitions, dropPartitions, listPartitions, type Partition } from './partitions.ts';

export interface RetentionBounds {
  /** Days that predictions are kept, today among them. */
  readonly keepDays: number;
  readonly maxBytes: number;
}

export interface RetentionDependencies {
  readonly storage: Pick<Storage, 'use' | 'onReady'>;
  readonly clock: { setTimer(delayMs: number, callback: () => void): () => void };
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: { info(details: object, message: string): void; warn(details: object, message: string): void };
}

const intervalMs = 60_000;

/** Makes the partitions of the next days, and drops those that are too old or too much. */
export class Retention {
  readonly #bounds: RetentionBounds;
  readonly #dependencies: RetentionDependencies;
  #isDiskSpent = false;
  #cancelTimer = () => {};
  #stopListening = () => {};
  #closed = false;

  constructor(bounds: RetentionBounds, dependencies: RetentionDependencies) {
    this.#bounds = bounds;
    this.#dependencies = dependencies;
  }

  /** Whether today's predictions alone take all the room there is: they are not dropped, but no more are added. */
  get isDiskSpent(): boolean {
    return this.#isDiskSpent;
  }

  /** Looks after the partitions as soon as there is a storage, and every minute from then on. */
  start(): void {
    this.#stopListening = this.#dependencies.storage.onReady(() => this.#runSoon(0));
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#cancelTimer();
  }

  /** Looks after the partitions now. */
  async run(): Promise<void> {
    const { storage, wallClock, log } = this.#dependencies;
    const today = dayOf(wallClock());
    await storage.use(async ({ db }) => {
      // A day ahead, so that nobody waits for it at midnight.
      await createPartitions(db, [today, today + 1]);
      const partitions = await listPartitions(db);
      const { drop, isSpent } = chooseDropped(partitions, today, this.#bounds);
      if (isSpent && !this.#isDiskSpent) log.warn({ max_bytes: this.#bounds.maxBytes }, spentMessage);
      this.#isDiskSpent = isSpent;
      if (drop.length === 0) return;
      await dropPartitions(db, drop);
      log.info({ days: drop.length }, 'Dropped the oldest predictions');
    });
  }

  #runSoon(delayMs: number): void {
    this.#cancelTimer();
    if (this.#closed) return;
    this.#cancelTimer = this.#dependencies.clock.setTimer(delayMs, () => {
      void this.run()
        .catch((thrown: unknown) => this.#warn(thrown))
        .finally(() => this.#runSoon(intervalMs));
    });
  }

  #warn(thrown: unknown): void {
    if (this.#closed) return;
    this.#dependencies.log.warn({ err: toAppError(thrown) }, 'The partitions of the predictions cannot be seen to');
  }
}

const spentMessage = "Today's predictions have reached PREDICTIONS_MAX_BYTES: no more are kept until tomorrow";

/**
 * Which days to drop: those before the days that are kept, then the oldest until the rest has room. Today and what lies
 * ahead is never dropped.
 */
export function chooseDropped(
  partitions: readonly Partition[],
  today: Day,
  { keepDays, maxBytes }: RetentionBounds,
): { readonly drop: readonly Day[]; readonly isSpent: boolean } {
  const drop: Day[] = [];
  let bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0);
  for (const partition of partitions.toSorted((a, b) => a.day - b.day)) {
    if (partition.day >= today) break;
    if (partition.day > today - keepDays && bytes <= maxBytes) break;
    drop.push(partition.day);
    bytes -= partition.bytes;
  }
  return { drop, isSpent: bytes > maxBytes };
}
