import type { OpenStorage, Storage } from '../storage/storage.ts';
import { createThrottledErrorLog, type ThrottledErrorLog } from '../storage/throttled-error-log.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { RepeatingJob } from '../timing/repeating-job.ts';
import { dayMs, dayOf, startOf } from './day.ts';
import {
  createPartitions,
  cutPartition,
  databaseTime,
  dropPartitions,
  listPartitions,
  type Partition,
} from './partitions.ts';
import { settledTime } from './recording/settled-time.ts';
import { holds } from './time-range.ts';

export interface RetentionBounds {
  /** Days that predictions are kept, today among them. */
  readonly keepDays: number;
  readonly maxBytes: number;
}

export interface RetentionDependencies {
  readonly storage: Pick<Storage, 'use' | 'onReady' | 'state'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

const intervalMs = 60_000;
/** Part of all the room that a partition may take before another one is begun: so much goes at a time. */
const largestShare = 1 / 10;
/** The database reads a partition to begin another one, while predictions wait in the buffer. */
const largestBytes = 4 * 1024 ** 3;

/** Makes the partitions of the next days, and drops those that are too old or too much. */
export class Retention {
  readonly #bounds: RetentionBounds;
  readonly #dependencies: RetentionDependencies;
  readonly #logError: ThrottledErrorLog;
  #isClockDoubtful = false;
  #runs: RepeatingJob | undefined;
  #stopListening = () => {};
  #closed = false;

  constructor(bounds: RetentionBounds, dependencies: RetentionDependencies) {
    this.#bounds = bounds;
    this.#dependencies = dependencies;
    this.#logError = createThrottledErrorLog(dependencies);
  }

  /** Looks after the partitions as soon as there is a storage, and every minute from then on. */
  start(): void {
    const { storage, clock } = this.#dependencies;
    const onError = (thrown: unknown) => this.#warn(thrown);
    this.#stopListening = storage.onReady(() => {
      this.#runs ??= new RepeatingJob(() => this.run(), { intervalMs, clock, onError });
      this.#runs.runSoon();
    });
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    void this.#runs?.close();
  }

  /** Looks after the partitions now. */
  async run(): Promise<void> {
    const { storage, wallClock, log } = this.#dependencies;
    const nowMs = wallClock();
    await storage.use(async ({ db }) => {
      // A day ahead, so that no prediction waits for it at midnight.
      await createPartitions(db, [nowMs, nowMs + dayMs]);
      const partitions = await this.#divided(db, nowMs);
      const agedByMs = settledTime(partitions, Math.min(nowMs, await databaseTime(db)));
      this.#tellDoubt(nowMs, agedByMs);
      const drop = chooseDropped(partitions, { nowMs, agedByMs }, this.#bounds);
      if (drop.length === 0) return;
      await dropPartitions(db, drop);
      const before = new Date(Math.max(...drop.map(({ untilMs }) => untilMs)));
      log.info({ partitions: drop.length, before }, 'Dropped the oldest predictions');
    });
  }

  /** The partitions, after another one has been begun if that of this moment has grown large. */
  async #divided(db: OpenStorage['db'], nowMs: number): Promise<readonly Partition[]> {
    const partitions = await listPartitions(db);
    const current = partitions.find((partition) => holds(partition, nowMs));
    const roomBytes = Math.min(this.#bounds.maxBytes * largestShare, largestBytes);
    if (current === undefined || current.bytes <= roomBytes) return partitions;
    return (await cutPartition(db, current)) ? listPartitions(db) : partitions;
  }

  #tellDoubt(nowMs: number, agedByMs: number): void {
    const isDoubtful = nowMs - agedByMs > dayMs;
    const times = { clock: new Date(nowMs), instead: new Date(agedByMs) };
    if (isDoubtful && !this.#isClockDoubtful) this.#dependencies.log.warn(times, doubtMessage);
    this.#isClockDoubtful = isDoubtful;
  }

  #warn(thrown: unknown): void {
    if (this.#closed) return;
    this.#logError(thrown, 'The maintenance of the partitions of predictions failed');
  }
}

const doubtMessage =
  'The clock has jumped ahead, or the server was stopped for days: an earlier time counts for the age of predictions';

/** What the clocks say, in milliseconds since 1970. */
export interface RetentionTimes {
  /** By the clock that predictions are made by. */
  readonly nowMs: number;
  /** By which they are too old. */
  readonly agedByMs: number;
}

/**
 * Which partitions to drop: those before the days that are kept, then the oldest until the rest has room. Those that lie
 * ahead, by a clock that was wrong, come after all others, and that of this moment is the very last.
 */
export function chooseDropped(
  partitions: readonly Partition[],
  { nowMs, agedByMs }: RetentionTimes,
  { keepDays, maxBytes }: RetentionBounds,
): readonly Partition[] {
  const keptFromMs = startOf(dayOf(agedByMs) - keepDays + 1);
  const isNow = (partition: Partition) => holds(partition, nowMs);
  const inOrder = partitions.toSorted((a, b) => Number(isNow(a)) - Number(isNow(b)) || a.fromMs - b.fromMs);
  const drop: Partition[] = [];
  let bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0);
  for (const partition of inOrder) {
    if (partition.untilMs > keptFromMs && bytes <= maxBytes) break;
    drop.push(partition);
    bytes -= partition.bytes;
  }
  return drop;
}
