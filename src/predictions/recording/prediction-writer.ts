import { type AppError, toAppError } from '../../errors.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import { RepeatingJob } from '../../timing/repeating-job.ts';
import { type Day, dayOf } from '../day.ts';
import { createPartitions } from '../partitions.ts';
import { type DescribeFile, predictionRows } from '../prediction-rows.ts';
import { insertPredictions } from '../store.ts';
import type { CapturedPrediction } from './captured-prediction.ts';
import type { PredictionCounts } from './dropped.ts';
import type { PredictionBuffer } from './prediction-buffer.ts';
import { timeOfUuid } from './prediction-id.ts';

export interface WriterOptions {
  /** Names of the fields that no prediction is kept with. */
  readonly redact: readonly string[];
  /** Longest text of the inputs, and of the outputs, of one prediction. */
  readonly maxInstanceBytes: number;
}

export interface WriterDependencies {
  readonly buffer: PredictionBuffer;
  readonly counts: PredictionCounts;
  readonly storage: Pick<Storage, 'use' | 'state'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly describeFile: DescribeFile;
}

/** How long a prediction waits for others. */
const intervalMs = 250;
const maxBatchRows = 500;
const maxBatchBytes = 4 * 1024 * 1024;
/** How often a failure is logged. */
const warningIntervalMs = 60_000;
/** SQLSTATE for a row that no partition takes. */
const noPartition = '23514';

/** Writes what the buffer holds to the database, beside the requests: many rows by one statement, one after the other. */
export class PredictionWriter {
  readonly #options: WriterOptions;
  readonly #dependencies: WriterDependencies;
  /** Days of which partitions are known to be there. */
  #days: ReadonlySet<Day> = new Set();
  #flushing: Promise<void> | undefined;
  #lastWarningMs = Number.NEGATIVE_INFINITY;
  #flushes: RepeatingJob | undefined;

  constructor(options: WriterOptions, dependencies: WriterDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Writes from now on. */
  start(): void {
    const { clock } = this.#dependencies;
    const onError = (thrown: unknown) => this.#warn(toAppError(thrown));
    this.#flushes = new RepeatingJob(() => this.flush(), { intervalMs, clock, onError });
  }

  /** Writes what waits now, as far as the database takes it; never throws. */
  async flush(): Promise<void> {
    // What has come since a flush under way has begun may not be part of it.
    await this.#flushing;
    this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  /** Writes what waits, if that takes no longer than `timeoutMs`; the rest is given up. */
  async close(timeoutMs: number): Promise<void> {
    void this.#flushes?.close();
    const { buffer, counts, clock, log } = this.#dependencies;
    const timeout = Promise.withResolvers<void>();
    const cancel = clock.setTimer(timeoutMs, timeout.resolve);
    await Promise.race([this.flush(), timeout.promise]);
    cancel();
    if (buffer.rows === 0) return;
    counts.drop('shutdown', buffer.rows);
    log.warn({ predictions: buffer.rows }, 'Predictions could not be written before the end');
  }

  /** Writes what waits now, and not what comes meanwhile: a caller that waits for it would never see its end. */
  async #writeAll(): Promise<void> {
    const { buffer, storage } = this.#dependencies;
    for (let left = buffer.rows; left > 0 && storage.state === 'ready'; ) {
      const batch = buffer.peek(maxBatchRows, maxBatchBytes);
      if (!(await this.#writeBatch(batch))) return;
      left -= buffer.remove(batch.length);
    }
  }

  /** Says whether the batch is written or dropped; if not, it is tried again later. */
  async #writeBatch(batch: readonly CapturedPrediction[]): Promise<boolean> {
    const { counts } = this.#dependencies;
    try {
      const rows = (await Promise.all(batch.map((captured) => this.#rows(captured)))).flat();
      await this.#insert(batch, rows);
      counts.written += rows.length;
      return true;
    } catch (thrown) {
      const error = toAppError(thrown);
      this.#warn(error);
      if (error.kind === 'overloaded') return false;
      if (batch.length > 1) return this.#writeSingly(batch);
      counts.drop('refused', rowsOf(batch));
      return true;
    }
  }

  /** One row that the database refuses must not take others with it. */
  async #writeSingly(batch: readonly CapturedPrediction[]): Promise<boolean> {
    for (const captured of batch) {
      if (!(await this.#writeBatch([captured]))) return false;
    }
    return true;
  }

  async #rows(captured: CapturedPrediction): Promise<readonly string[]> {
    const { redact, maxInstanceBytes } = this.#options;
    const rules = {
      redact: new Set([...redact, ...captured.redact]),
      keepsFiles: captured.keepsFiles,
      maxBytes: maxInstanceBytes,
    };
    return predictionRows(captured, rules, this.#dependencies.describeFile);
  }

  async #insert(batch: readonly CapturedPrediction[], rows: readonly string[]): Promise<void> {
    const { storage } = this.#dependencies;
    // The clock may have been set to any day.
    const timesMs = batch.map(({ uuid }) => timeOfUuid(uuid));
    const isKnown = timesMs.every((timeMs) => this.#days.has(dayOf(timeMs)));
    await storage.use(async ({ db }) => {
      if (!isKnown) await createPartitions(db, timesMs);
      await insertPredictions(db, rows).catch(async (thrown: unknown) => {
        if (!isNoPartition(thrown)) throw thrown;
        // Another process, or the retention of this one, has dropped it.
        await createPartitions(db, timesMs);
        await insertPredictions(db, rows);
      });
    });
    this.#days = new Set(timesMs.map(dayOf));
  }

  #warn(err: AppError): void {
    const { clock, log, buffer } = this.#dependencies;
    if (clock.now() - this.#lastWarningMs < warningIntervalMs) return;
    this.#lastWarningMs = clock.now();
    log.warn({ err, waiting: buffer.rows }, 'Predictions cannot be written');
  }
}

function rowsOf(batch: readonly CapturedPrediction[]): number {
  return batch.reduce((sum, { rows }) => sum + rows, 0);
}

function isNoPartition(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === noPartition;
}
