import { setImmediate } from 'node:timers';
import { AppError } from '../errors.ts';
import { concatenateRows, sliceRows } from '../tensor/rows.ts';
import { type Signature, type Tensor, type Tensors, tensorBytes } from '../tensor/tensor.ts';
import { Batcher } from './batcher/batcher.ts';
import type { Clock } from './clock.ts';
import type { EngineLog } from './engine-log.ts';
import type { EngineEvents } from './events.ts';
import type { ModelFacts } from './launcher.ts';
import type { LoadedModel, ModelState, ModelStats } from './loaded-model.ts';
import type { ModelOptions } from './model-options.ts';
import { newPhases, type Phases } from './phases.ts';
import type { PredictContext } from './predictor.ts';
import { levelOf } from './priority.ts';
import { type ReadRequest, RequestReader } from './request-reader.ts';
import type { RunnerPool } from './runner/runner-pool.ts';

interface Dependencies {
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly events?: EngineEvents;
}

/** A model behind its batcher. */
export class BatchedModel implements LoadedModel {
  readonly signature: Signature;
  readonly #options: ModelOptions;
  readonly #pool: RunnerPool;
  readonly #batcher: Batcher;
  readonly #reader: RequestReader;
  readonly #clock: Clock;
  readonly #listeners = new Set<(state: ModelState) => void>();
  #batchable: boolean;
  #lastState: ModelState = { ready: true };

  constructor(options: ModelOptions, facts: ModelFacts, pool: RunnerPool, { clock, log, events }: Dependencies) {
    const { name, version, batching } = options;
    this.signature = facts.signature;
    this.#batchable = facts.batchable;
    this.#options = options;
    this.#pool = pool;
    this.#clock = clock;
    this.#reader = new RequestReader(facts.signature);
    this.#batcher = new Batcher(batching, {
      clock,
      executors: pool.slots,
      defer: (callback) => void setImmediate(callback),
      onBatch: (batch) => events?.onBatch?.(name, version, batch),
      onRefusal: (code) => events?.onRefusal?.(name, version, code),
      onRowsMismatch: () => {
        this.#batchable = false;
        log.warn({}, 'the model gave another number of rows than it took; its requests run singly from now on');
      },
    });
  }

  get batchable(): boolean {
    return this.#batchable;
  }

  async predict(inputs: Tensors, context: PredictContext): Promise<Tensors> {
    if (this.#pool.gaveUp) throw this.#notReady();
    const request = this.#reader.read(inputs, context.outputs, this.#batchable);
    this.#checkSize(request);
    const { maxSize } = this.#options.batching;
    const outputs =
      request.group !== undefined && request.rows > maxSize
        ? await this.#runInParts(request, context, maxSize)
        : await this.#run(request, context, context.phases);
    return this.#reader.name(outputs, request.outputs);
  }

  state(): ModelState {
    return this.#pool.state;
  }

  stats(): ModelStats {
    const { queueRows, queueBytes, backgroundRows, oldestWaitMs, cost } = this.#batcher;
    return { runners: this.#pool.stats, queueRows, queueBytes, backgroundRows, oldestWaitMs, cost: cost.line };
  }

  whenStateChanges(listener: (state: ModelState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#batcher.close();
    await this.#pool.close();
  }

  /** To be called when a runner begins or ends to accept runs. */
  runnersChanged(): void {
    if (this.#pool.gaveUp) this.#batcher.rejectWaiting(() => this.#notReady());
    else this.#batcher.wake();
    const state = this.#pool.state;
    if (state.ready === this.#lastState.ready) return;
    this.#lastState = state;
    for (const listener of this.#listeners) listener(state);
  }

  #run(
    request: ReadRequest,
    context: Pick<PredictContext, 'deadlineMs' | 'signal' | 'trace' | 'priority'>,
    phases: Phases,
  ): Promise<Tensor[]> {
    const { inputs, outputs, group, rows, bytes } = request;
    const deadlineMs = Math.min(context.deadlineMs, this.#clock.now() + this.#options.timeoutMs);
    const { signal, trace } = context;
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
        phases,
        resolve,
        reject,
      });
    });
  }

  /** Runs a request of more rows than a run takes in several, and puts the outputs together again. */
  async #runInParts(request: ReadRequest, context: PredictContext, maxRows: number): Promise<Tensor[]> {
    const { deadlineMs, phases, trace, priority } = context;
    // When one part fails, nobody waits for the others any more.
    const failed = new AbortController();
    const signal = AbortSignal.any([context.signal, failed.signal]);
    const parts = splitRequest(request, maxRows).map(async (part) => {
      const partPhases = newPhases();
      const outputs = await this.#run(part, { deadlineMs, signal, trace, priority }, partPhases);
      addPhases(phases, partPhases);
      return outputs;
    });
    try {
      const outputs = await Promise.all(parts);
      return request.outputs.map((_, i) => concatenateRows(outputs.flatMap((part) => part[i] ?? [])));
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
    const { state } = this.#pool;
    const reason = state.ready ? 'it is starting' : state.reason;
    return new AppError('MODEL_NOT_READY', {
      message: `The model ${this.#options.name} is not ready: ${reason}`,
      retryAfterSeconds: 10,
    });
  }
}

function splitRequest(request: ReadRequest, maxRows: number): ReadRequest[] {
  const parts: ReadRequest[] = [];
  for (let start = 0; start < request.rows; start += maxRows) {
    const end = Math.min(start + maxRows, request.rows);
    const inputs = request.inputs.map((tensor) => sliceRows(tensor, start, end));
    const bytes = inputs.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    parts.push({ ...request, inputs, rows: end - start, bytes });
  }
  return parts;
}

/** Parts may wait and run side by side: the longest wait counts, and the work of all. */
function addPhases(total: Phases, part: Phases): void {
  total.queueMs = Math.max(total.queueMs, part.queueMs);
  total.batchMs += part.batchMs;
  total.inferMs += part.inferMs;
  total.batchRows = Math.max(total.batchRows, part.batchRows);
}
