import type { Signature, Tensors } from '../../tensor/tensor.ts';
import type { Clock } from '../../timing/clock.ts';
import { clientGone, deadlineExceeded, shuttingDown } from '../batcher/refusals.ts';
import type { Health, PredictContext, Prediction, Predictor } from '../predictor.ts';
import { levelOf } from '../priority.ts';
import { noTimings } from '../timings.ts';
import type { VersionAnswers } from './answer-memory.ts';
import { cacheDirectives } from './cache-directives.ts';
import type { MemoryLookup } from './cache-events.ts';
import type { CacheReport } from './cache-report.ts';
import { AnswerPacker, unpack } from './packed-answer.ts';
import { type KeyedRequest, RequestKeys } from './request-keys.ts';
import { type CollectedAnswers, collectAnswers } from './runs/collect-answers.ts';
import { runUnits } from './runs/run-units.ts';
import type { RunEnd, UnitRun } from './runs/unit-run.ts';
import { UnitRuns } from './runs/unit-runs.ts';
import type { SharedAnswers } from './shared/shared-answers.ts';
import { copyRows, joinRows } from './unit-tensors.ts';

export interface CachedPredictorOptions {
  readonly model: string;
  readonly predictor: Predictor;
  readonly answers: VersionAnswers;
  readonly clock: Clock;
  readonly ttlMs: number;
  /** Larger requests are not looked up. */
  readonly maxInputBytes: number;
  /** Whether an answer is for everybody, or for the key alone that has asked. */
  readonly scope: 'all' | 'key';
  /** What answers now, of all that this process has ever loaded; undefined while its answers cannot be kept. */
  readonly identity: () => string | undefined;
  /** What an answer that needed no run waits for, so that it leaves together with others. @default nothing */
  readonly endOfTurn?: (() => Promise<void>) | undefined;
  /** @default answers are kept in this process alone */
  readonly shared?: SharedLevel | undefined;
}

export interface SharedLevel {
  readonly answers: SharedAnswers;
  /** What answers now, on whichever server; undefined while that is not known. */
  readonly identity: () => string | undefined;
}

/** Of units that a request is the first to want. */
interface Lead {
  /** Which units of the request. */
  readonly indexes: readonly number[];
  readonly context: PredictContext;
  readonly asksShared: boolean;
}

/**
 * Answers what it has answered before without asking the predictor again, and asks it once for what several want at the
 * same time. An answer is found only by the same load of the same model, the same wanted outputs and the same bytes.
 */
export class CachedPredictor implements Predictor {
  readonly #options: CachedPredictorOptions;
  readonly #keys: RequestKeys;
  readonly #runs = new UnitRuns();
  readonly #packer = new AnswerPacker();
  #identity: string | undefined;
  /** How often everything was forgotten. */
  #epoch = 0;
  #hadIndependentRows = true;
  #underWay = 0;
  #closing: PromiseWithResolvers<void> | undefined;
  #hits = 0;
  #misses = 0;

  constructor(options: CachedPredictorOptions) {
    this.#options = options;
    this.#keys = new RequestKeys(options);
  }

  get signature(): Signature {
    return this.#options.predictor.signature;
  }

  get independentRows(): boolean {
    return this.#options.predictor.independentRows;
  }

  get health(): Health {
    return this.#options.predictor.health;
  }

  /** What is kept now, and how lookups have ended, in units. */
  get figures() {
    const { entries, bytes } = this.#options.answers;
    return { entries, bytes, hits: this.#hits, misses: this.#misses };
  }

  /** Forgets every answer of this process. @returns how many there were */
  clear(): number {
    // Who asks from now on gets nothing of what was asked before, and that is not kept either.
    this.#runs.forgetAll();
    this.#epoch += 1;
    return this.#options.answers.clear();
  }

  async predict(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    if (this.#closing !== undefined) throw shuttingDown();
    this.#underWay += 1;
    try {
      return await this.#predict(inputs, context);
    } finally {
      this.#leave();
    }
  }

  dropAborted(): void {
    this.#runs.giveUpOrphans();
    this.#options.predictor.dropAborted?.();
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    if (this.#underWay > 0) await this.#closing.promise;
    await this.#options.predictor.close();
    this.#forgetAll();
  }

  async #predict(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    const { clock, answers } = this.#options;
    const startedMs = clock.now();
    const { read, store } = cacheDirectives(context.headers);
    if (context.bypassesCache === true) return this.#bypass(inputs, context, 'configuration');
    if (!store) return this.#bypass(inputs, context, 'request');
    const request = this.#read(inputs, context);
    if (request === undefined) return this.#bypass(inputs, context, 'configuration');
    if (context.signal.aborted) throw clientGone();
    if (startedMs > context.deadlineMs) throw deadlineExceeded();

    const found = read ? request.keys.map((key) => answers.find(key)) : [];
    const lookupMs = clock.now() - startedMs;
    const collected = await collectAnswers(
      { request, found, context, clock },
      {
        find: (key) => (read ? this.#runs.find(key, levelOf(context.priority)) : undefined),
        begin: (indexes, isFirst) => this.#begin(request, { indexes, context, asksShared: read && isFirst }),
      },
    );
    const prediction = this.#answer(request, collected);
    if (prediction === undefined) return this.#bypass(inputs, context, 'configuration');
    const report = reportOf(request, collected, read);
    this.#count(report, { hits: collected.hits, ms: lookupMs });
    if (report.hits === report.units) await this.#options.endOfTurn?.();
    return { ...prediction, cache: report };
  }

  #leave(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#closing?.resolve();
  }

  /** Asks the predictor, and keeps nothing. */
  async #bypass(inputs: Tensors, context: PredictContext, bypass: CacheReport['bypass']): Promise<Prediction> {
    const prediction = await this.#options.predictor.predict(inputs, context);
    const report: CacheReport = { units: 1, hits: 0, collapsed: 0, stored: 0, bypass };
    this.#count(report, { hits: 0, ms: 0 });
    return { ...prediction, cache: report };
  }

  #count(report: CacheReport, lookup: MemoryLookup): void {
    if (report.bypass === undefined) {
      this.#hits += report.hits;
      this.#misses += report.units - report.hits;
    }
    this.#options.answers.events?.onRequest?.(report, lookup);
  }

  /** @returns undefined where the cache does not handle the request */
  #read(inputs: Tensors, context: PredictContext): KeyedRequest | undefined {
    const { independentRows } = this;
    const identity = this.#options.identity();
    const isOther = identity !== this.#identity && this.#identity !== undefined;
    if (isOther || (this.#hadIndependentRows && !independentRows)) this.#forgetAll();
    this.#identity = identity;
    this.#hadIndependentRows = independentRows;
    return identity === undefined ? undefined : this.#keys.read(inputs, context, { identity, independentRows });
  }

  #forgetAll(): void {
    const count = this.clear();
    if (count > 0) this.#options.answers.events?.onEvicted?.('reload', count);
  }

  /** @returns undefined where the rows cannot be put together, so that the whole request has to be asked anew */
  #answer(request: KeyedRequest, { answers, own, joinedMs }: CollectedAnswers): Prediction | undefined {
    const { prediction, isWhole } = own ?? {};
    if (prediction !== undefined && isWhole === true) return prediction;
    if (answers === undefined || (request.unit === 'row' && !this.independentRows)) return undefined;
    const outputs = joinRows(answers, request.outputs);
    if (outputs === undefined) return undefined;
    const timings = joinedMs > 0 || prediction === undefined ? { ...noTimings, queueMs: joinedMs } : prediction.timings;
    return { outputs, timings, ...(prediction?.steps !== undefined && { steps: prediction.steps }) };
  }

  #begin(request: KeyedRequest, { indexes, context, asksShared }: Lead): UnitRun {
    const { predictor, answers, ttlMs } = this.#options;
    const { unit, count } = request;
    const inputs = indexes.length === count ? request.inputs : copyRows(request.inputs, indexes);
    const keys = indexes.map((index) => request.keys[index] ?? '');
    const epoch = this.#epoch;
    /** Whether what answers is still what the keys say, and nobody wanted everything to be forgotten meanwhile. */
    const isCurrent = () => request.identity === this.#options.identity() && epoch === this.#epoch;
    const shared = this.#shared({ ...request, inputs, count: indexes.length }, context);
    const start = (signal: AbortSignal): Promise<RunEnd> =>
      runUnits(
        { unit, count: indexes.length, inputs, context: { ...context, signal } },
        {
          predictor,
          packer: this.#packer,
          findShared: asksShared ? shared?.find : undefined,
          keep: (index, answer) => {
            if (!isCurrent()) return false;
            shared?.keep(index, unpack(answer));
            return answers.keep(keys[index] ?? '', answer, ttlMs);
          },
          keepShared: (index, answer, leftMs) => {
            if (isCurrent()) answers.keep(keys[index] ?? '', answer, Math.min(ttlMs, leftMs));
          },
        },
      );
    return this.#runs.begin(levelOf(context.priority), keys, start);
  }

  /** The shared level for the units of a request; undefined where there is none, or not yet. */
  #shared(request: KeyedRequest, { deadlineMs }: PredictContext) {
    const { shared, clock, ttlMs } = this.#options;
    const identity = shared?.identity();
    if (shared === undefined || identity === undefined) return undefined;
    const { unit, count, outputs } = request;
    const keys = this.#keys.of(request, { identity, count });
    const form = { outputs, isRow: unit === 'row' };
    return {
      find: () => shared.answers.find(keys, { identity, form, mostMs: deadlineMs - clock.now() }),
      keep: (index: number, answer: Tensors) => shared.answers.keep(keys[index] ?? '', answer, { identity, ttlMs }),
    };
  }
}

function reportOf(
  { count }: KeyedRequest,
  { hits, ttlMs, collapsed, own }: CollectedAnswers,
  read: boolean,
): CacheReport {
  const shared = own?.sharedTtlMs ?? [];
  const soonest = [ttlMs, ...shared].filter((ms) => ms !== undefined);
  return {
    units: count,
    hits: hits + shared.length,
    collapsed,
    stored: own?.stored ?? 0,
    ttlMs: soonest.length === 0 ? undefined : Math.min(...soonest),
    bypass: read ? undefined : 'request',
  };
}
