import { setImmediate } from 'node:timers';
import { AppError } from '../errors.ts';
import { concatenateRows, sliceRows } from '../tensor/rows.ts';
import { type Signature, type Tensor, type Tensors, tensorBytes } from '../tensor/tensor.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { Batcher } from './batcher/batcher.ts';
import type { Answer } from './batcher/pending.ts';
import { rowsThatFit } from './batcher/queue/build-batch.ts';
import type { Engine, EngineStats } from './engine.ts';
import type { EngineEvents } from './events.ts';
import type { ExecutorPool } from './executor-pool.ts';
import { dependent, type Independence } from './independence/independence.ts';
import type { Row } from './independence/sample-rows.ts';
import { SpotChecks } from './independence/spot-checks.ts';
import type { ModelOptions } from './model-options.ts';
import { answerNoRows } from './no-rows.ts';
import type { Health, PredictContext, Prediction, Predictor } from './predictor.ts';
import { backgroundLevel, levelOf } from './priority.ts';
import { type ReadRequest, RequestReader } from './request-reader.ts';
import { noTimings, timingsInParallel, timingsInSequence } from './timings.ts';

interface Dependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EngineEvents;
}

/** What is known of a model before it serves. */
export interface BatchedFacts {
  readonly signature: Signature;
  readonly independence: Independence;
  /** A request that the model took; undefined when none is known. */
  readonly example: Tensors | undefined;
  /** Threads inside an operator; undefined where another server has them. */
  readonly intraOpThreads: number | undefined;
}

export type BatchedOptions = Pick<ModelOptions, 'name' | 'version' | 'batching' | 'timeoutMs' | 'unservable'>;

/** A model behind its batcher. */
export class BatchedModel implements Predictor, Engine {
  readonly signature: Signature;
  readonly #options: BatchedOptions;
  readonly #pool: ExecutorPool;
  readonly #batcher: Batcher;
  readonly #reader: RequestReader;
  readonly #clock: Clock;
  readonly #listeners = new Set<(health: Health) => void>();
  readonly example: Tensors | undefined;
  readonly intraOpThreads: number | undefined;
  readonly #events: EngineEvents | undefined;
  readonly #log: Log;
  #independence: Independence;
  #lastHealth: Health = { ready: true };

  constructor(options: BatchedOptions, facts: BatchedFacts, pool: ExecutorPool, { clock, log, events }: Dependencies) {
    const { name, version, batching, unservable = [] } = options;
    this.signature = unservable.length > 0 ? { ...facts.signature, unservable } : facts.signature;
    this.example = facts.example;
    this.intraOpThreads = facts.intraOpThreads;
    this.#independence = facts.independence;
    this.#events = events;
    this.#log = log;
    this.#options = options;
    this.#pool = pool;
    this.#clock = clock;
    this.#reader = new RequestReader(this.signature);
    const checks = new SpotChecks({
      clock,
      outputNames: facts.signature.outputs.map((output) => output.name),
      random: Math.random,
      runAlone: (row, outputIndexes) => this.#runAlone(row, outputIndexes),
      onChecked: (difference) => this.#onChecked(difference),
    });
    const maxSize = Math.max(1, Math.min(batching.maxSize, facts.independence.provenRows));
    this.#batcher = new Batcher(
      { ...batching, maxSize },
      {
        clock,
        executors: pool.slots,
        defer: (callback) => void setImmediate(callback),
        onBatch: (batch) => events?.onBatch?.(name, version, batch),
        onRefusal: (code) => events?.onRefusal?.(name, version, code),
        onRowsMismatch: () => this.#endJoining('A run gave another number of rows than it took.'),
        ...(batching.enabled === 'auto' && { onSharedRun: (run) => checks.look(run) }),
      },
    );
  }

  get independence(): Independence {
    return this.#independence;
  }

  get independentRows(): boolean {
    return this.#independence.independentRows;
  }

  get health(): Health {
    return this.#pool.health;
  }

  async predict(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    if (this.#pool.gaveUp) throw this.#notReady();
    const { independentRows } = this.#independence;
    const request = this.#reader.read(inputs, context.outputs, independentRows);
    const none = independentRows ? answerNoRows(this.signature, request) : undefined;
    if (none !== undefined) return { outputs: this.#reader.name(none, request.outputs), timings: noTimings };
    this.#checkSize(request);
    const maxRows = this.#mostRows(request);
    const { outputs, timings } =
      request.group !== undefined && request.rows > maxRows
        ? await this.#runInParts(request, context, maxRows)
        : await this.#run(request, context);
    return { outputs: this.#reader.name(outputs, request.outputs), timings };
  }

  get cost(): EngineStats['cost'] {
    return this.#batcher.cost.line;
  }

  dropAborted(): void {
    this.#batcher.dropAborted();
  }

  stats(): EngineStats {
    const { queueRows, queueBytes, backgroundRows, oldestWaitMs, cost } = this.#batcher;
    return { runners: this.#pool.stats, queueRows, queueBytes, backgroundRows, oldestWaitMs, cost: cost.line };
  }

  whenHealthChanges(listener: (health: Health) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#batcher.close();
    await this.#pool.close();
  }

  /** To be called when what runs the model begins or ends to accept runs. */
  executorsChanged(): void {
    if (this.#pool.gaveUp) this.#batcher.rejectWaiting(() => this.#notReady());
    else this.#batcher.wake();
    const { health } = this.#pool;
    if (health.ready === this.#lastHealth.ready) return;
    this.#lastHealth = health;
    for (const listener of this.#listeners) listener(health);
  }

  /** Most rows of the request that one run takes. */
  #mostRows({ bytes, rows }: ReadRequest): number {
    const { provenRows } = this.#independence;
    const { maxSize, maxRequestRows } = this.#options.batching;
    const shared = Math.min(maxSize, provenRows);
    return Math.max(shared, rowsThatFit(Math.min(maxRequestRows, provenRows), bytes / rows));
  }

  #run(
    request: ReadRequest,
    context: Pick<PredictContext, 'deadlineMs' | 'signal' | 'trace' | 'priority' | 'requestId'>,
  ): Promise<Answer> {
    const { inputs, outputs, group, rows, bytes, isPart } = request;
    const deadlineMs = Math.min(context.deadlineMs, this.#clock.now() + this.#options.timeoutMs);
    const { signal, trace, requestId } = context;
    const level = levelOf(context.priority);
    return new Promise((resolve, reject) => {
      this.#batcher.submit({
        inputs,
        outputs,
        group,
        rows,
        bytes,
        level,
        deadlineMs,
        signal,
        trace,
        requestId,
        ...(isPart && { isPart }),
        resolve,
        reject,
      });
    });
  }

  /** Runs a row that is to be compared, when no client waits for a runner. */
  #runAlone(row: Row, outputs: readonly number[]): Promise<readonly Tensor[]> {
    const bytes = row.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    return new Promise((resolve, reject) => {
      this.#batcher.submit({
        inputs: row,
        outputs,
        group: undefined,
        rows: 1,
        bytes,
        level: backgroundLevel,
        deadlineMs: this.#clock.now() + this.#options.timeoutMs,
        signal: { aborted: false },
        isCheck: true,
        resolve: (answer) => resolve(answer.outputs),
        reject,
      });
    });
  }

  #onChecked(difference: string | undefined): void {
    const { name, version } = this.#options;
    this.#events?.onSpotCheck?.(name, version, difference === undefined ? 'equal' : 'different');
    if (difference === undefined) return;
    this.#endJoining(`While it served, a row that shared a run was not what it is alone: ${difference}.`);
  }

  /** From now on every request runs by itself, whole. */
  #endJoining(why: string): void {
    if (!this.#independence.independentRows) return;
    this.#independence = dependent(why);
    this.#log.error({ why }, 'the rows of the model are not independent; its requests run singly from now on');
    this.#batcher.stopJoining();
  }

  /** Runs a request of more rows than a run takes in several, and puts the outputs together again. */
  async #runInParts(request: ReadRequest, context: PredictContext, maxRows: number): Promise<Answer> {
    const { deadlineMs, trace, priority, requestId } = context;
    // When one part fails, the others are of no use.
    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    const runs = splitRequest(request, maxRows).map((part) =>
      this.#run(part, { deadlineMs, signal, trace, priority, requestId }),
    );
    try {
      const parts = await Promise.all(runs);
      const timings = timingsInParallel(parts.map((part) => part.timings));
      // It was found meanwhile that cutting changes the answer.
      if (!this.#independence.independentRows) {
        const again = await this.#run(whole(request), context);
        return { outputs: again.outputs, timings: timingsInSequence([timings, again.timings]) };
      }
      const outputs = request.outputs.map((_, i) => concatenateRows(parts.flatMap((part) => part.outputs[i] ?? [])));
      return { outputs, timings };
    } catch (error) {
      failed.abort();
      throw error;
    }
  }

  #checkSize({ rows, bytes }: ReadRequest): void {
    const { maxQueueRows, maxQueueBytes } = this.#options.batching;
    if (rows <= maxQueueRows && bytes <= maxQueueBytes) return;
    throw new AppError('BODY_TOO_LARGE', {
      message:
        `The model ${this.#options.name} takes at most ${maxQueueRows} rows (batching.maxQueueRows) and ` +
        `${maxQueueBytes} bytes (batching.maxQueueBytes) at once; the request has ${rows} rows of ${bytes} bytes`,
      received: { rows, bytes },
      expected: { rows: maxQueueRows, bytes: maxQueueBytes },
    });
  }

  #notReady(): AppError {
    const { health } = this.#pool;
    const reason = health.ready ? 'it is starting' : health.reason;
    return new AppError('MODEL_NOT_READY', {
      message: `The model ${this.#options.name} is not ready: ${reason}`,
      retryAfterSeconds: 10,
    });
  }
}

/** The request as one that runs by itself. */
function whole(request: ReadRequest): ReadRequest {
  return { ...request, group: undefined, rows: 1 };
}

function splitRequest(request: ReadRequest, maxRows: number): ReadRequest[] {
  const parts: ReadRequest[] = [];
  for (let start = 0; start < request.rows; start += maxRows) {
    const end = Math.min(start + maxRows, request.rows);
    const inputs = request.inputs.map((tensor) => sliceRows(tensor, start, end));
    const bytes = inputs.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    parts.push({ ...request, inputs, rows: end - start, bytes, isPart: true });
  }
  return parts;
}
