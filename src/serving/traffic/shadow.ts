import { toAppError } from '../../errors.ts';
import type { Predictor } from '../../inference/predictor.ts';
import type { Lease } from '../../models/registry/lease.ts';
import type { Registry } from '../../models/registry/registry.ts';
import type { ServedCounters } from '../../served/served-counters.ts';
import type { Clock } from '../../timing/clock.ts';
import type { AnsweredRequest, DecodableInference, PredictionRecorder, ShadowDesk, ShadowRecord } from '../infer.ts';
import { outputsAgree } from './compare-outputs.ts';
import { KeptInputs } from './kept-inputs.ts';
import { copyForShadow, type ShadowCopy } from './shadow-copy.ts';
import { runShadow } from './shadow-run.ts';

export interface ShadowOptions {
  /** Most requests that shadows have or wait for at the same time, of all models together. */
  readonly maxInFlight: number;
  /** Longest time that a shadow may take. */
  readonly timeoutMs: number;
}

export interface ShadowDependencies {
  readonly registry: Pick<Registry, 'acquireShadow'>;
  readonly clock: Clock;
  readonly counters: ServedCounters;
  readonly isDraining: () => boolean;
  /** @default nothing is kept */
  readonly recorder?: Pick<PredictionRecorder, 'recordShadow'> | undefined;
}

/**
 * Gives copies of answered requests to other versions, behind everything else, and compares what they answer. It has no
 * part in the limits and rights of callers, and whatever becomes of it is counted alone.
 */
export class Shadows implements ShadowDesk {
  readonly #options: ShadowOptions;
  readonly #dependencies: ShadowDependencies;
  readonly #ending = new AbortController();
  /** Predictors that have copies, by copy. */
  readonly #inFlight = new Map<ShadowCopy, Predictor | undefined>();

  constructor(options: ShadowOptions, dependencies: ShadowDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Requests that shadows have or wait for. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  keep({ shadow }: Lease): KeptInputs | undefined {
    return shadow === undefined ? undefined : new KeptInputs(shadow.maxBytes);
  }

  offer(answered: AnsweredRequest): void {
    const { lease } = answered;
    if (lease.shadow === undefined) return;
    const { clock, counters } = this.#dependencies;
    const { outcomes } = counters.shadow(lease.name, lease.shadow.version);
    if (this.#isBusy(lease)) {
      outcomes.dropped_busy += 1;
      return;
    }
    // Routes empty the memory of a request as soon as it is answered.
    const copy = copyForShadow(answered, lease.shadow);
    if (copy === undefined) {
      outcomes.dropped_size += 1;
      return;
    }
    this.#inFlight.set(copy, undefined);
    // Transports give an answer away before any timer goes off.
    clock.setTimer(0, () => void this.#follow(copy).finally(() => this.#inFlight.delete(copy)));
  }

  /** Takes no more copies, and ends what is under way. */
  close(): void {
    this.#ending.abort();
    for (const predictor of this.#inFlight.values()) predictor?.dropAborted?.();
  }

  #isBusy({ engine }: Lease): boolean {
    if (this.#dependencies.isDraining() || this.#ending.signal.aborted) return true;
    if (this.#inFlight.size >= this.#options.maxInFlight) return true;
    // Rows in the background may be those of the engine itself, which tries rows of shared runs alone.
    return engine !== undefined && engine.stats().queueRows > 0;
  }

  /** Never throws: what a shadow comes to must not end anything else. */
  async #follow(copy: ShadowCopy): Promise<void> {
    const { counters } = this.#dependencies;
    const { model, settings } = copy;
    const { outcomes, duration } = counters.shadow(model.name, settings.version);
    try {
      const inference = await this.#predict(copy);
      const { outputs, runs = [outputs] } = inference;
      const agrees = copy.expected.every((run, at) => outputsAgree(run, runs[at] ?? {}, settings.tolerance));
      const results = await copy.decode?.(inference);
      outcomes[agrees ? 'agree' : 'disagree'] += 1;
      duration.observe(inference.totalMs / 1000);
      this.#record(copy, inference.model, { inference, results: Array.isArray(results) ? results : [] });
    } catch (thrown) {
      if (this.#ending.signal.aborted) return;
      outcomes.failed += 1;
      this.#record(copy, { ...model, version: settings.version }, { error: toAppError(thrown) });
    }
  }

  async #predict(copy: ShadowCopy): Promise<DecodableInference> {
    const { registry, clock } = this.#dependencies;
    const { signal } = this.#ending;
    signal.throwIfAborted();
    const lease = registry.acquireShadow(copy.model.name, copy.settings.version);
    this.#inFlight.set(copy, lease.predictor);
    try {
      return await runShadow(copy, lease, { timeoutMs: this.#options.timeoutMs, signal, clock });
    } finally {
      lease.release();
    }
  }

  #record({ record, terms, runs }: ShadowCopy, model: ShadowRecord['model'], end: ShadowRecord['end']): void {
    if (record === undefined) return;
    const { requestId, caller } = terms;
    this.#dependencies.recorder?.recordShadow({ ...record, requestId, caller, model, inputs: runs[0] ?? {}, end });
  }
}
