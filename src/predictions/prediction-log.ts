import type { PredictionRecorder } from '../serving/infer.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import type { DescribeFile } from './prediction-rows.ts';
import { PredictionCounts } from './recording/dropped.ts';
import { PredictionBuffer } from './recording/prediction-buffer.ts';
import { BufferedRecorder } from './recording/prediction-recorder.ts';
import { PredictionWriter } from './recording/prediction-writer.ts';
import { Retention } from './retention.ts';

export interface PredictionLogOptions {
  /** Part of the predictions that is kept, from 0 to 1. */
  readonly share: number;
  readonly maxPerSecond: number;
  /** Names of the fields that no prediction is kept with. */
  readonly redact: readonly string[];
  readonly maxInstanceBytes: number;
  readonly keepDays: number;
  readonly maxBytes: number;
}

export interface PredictionLogDependencies {
  readonly storage: Storage;
  readonly clock: Clock;
  /** Milliseconds since 1970. @default Date.now */
  readonly wallClock?: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Called when a prediction is written, of each file that is not kept. @default nothing is said of it */
  readonly describeFile?: DescribeFile;
}

/** What may wait while the database is away. */
const bufferBounds = { maxRows: 10_000, maxBytes: 32 * 1024 * 1024 };
/** How long the end of the server may wait for the last predictions. */
const closeTimeoutMs = 3000;
const reportIntervalMs = 60_000;

/** Keeps predictions: captures them while they are answered, writes them beside that, and drops the oldest. */
export class PredictionLog {
  readonly recorder: PredictionRecorder;
  readonly counts = new PredictionCounts();
  readonly storage: Storage;
  readonly #writer: PredictionWriter;
  readonly #retention: Retention;
  readonly #dependencies: PredictionLogDependencies;
  #reported = 0;
  #cancelReport = () => {};

  constructor(options: PredictionLogOptions, dependencies: PredictionLogDependencies) {
    const { storage, clock, log, wallClock = Date.now, describeFile = () => ({}) } = dependencies;
    const buffer = new PredictionBuffer(bufferBounds);
    const { counts } = this;
    this.storage = storage;
    this.#dependencies = dependencies;
    this.recorder = new BufferedRecorder(options, { buffer, counts, now: () => clock.now(), wallClock });
    this.#retention = new Retention(options, { storage, clock, wallClock, log });
    this.#writer = new PredictionWriter(options, { buffer, counts, storage, clock, log, describeFile });
  }

  start(): void {
    this.#retention.start();
    this.#writer.start();
    this.#reportLater();
  }

  /** Writes what waits, so that it can be found. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  /** Writes what waits, for a few seconds at most. The storage must still be there. */
  async close(): Promise<void> {
    this.#cancelReport();
    this.#retention.close();
    await this.#writer.close(closeTimeoutMs);
  }

  /** Says from time to time what was not kept. */
  #reportLater(): void {
    const { clock, log } = this.#dependencies;
    this.#cancelReport = clock.setTimer(reportIntervalMs, () => {
      const dropped = this.counts.byReason;
      const total = Object.values(dropped).reduce((sum, count) => sum + count, 0);
      if (total > this.#reported) log.warn({ dropped, written: this.counts.written }, 'Predictions were not kept');
      this.#reported = total;
      this.#reportLater();
    });
  }
}
