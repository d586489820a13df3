import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../errors.ts';
import type { Signature } from '../tensor/tensor.ts';
import type { Clock } from './clock.ts';
import type { EngineLog } from './engine-log.ts';
import type { ModelOptions } from './model-options.ts';
import { RunnerProcess } from './runner/runner-process.ts';
import type { ServableSignature } from './runner/signature.ts';
import { claimsBatching, isBatchable, madeUpRequest, warmUp, warmUpOnZeros } from './warm-up.ts';

/** What the first runner of a model found out about it. */
export interface ModelFacts extends ServableSignature {
  readonly batchable: boolean;
}

/** Share of `loadTimeoutMs` after which a run of zeros is taken for a hang. */
const zerosShare = 1 / 4;

/** A runner did not survive the warm-up request that was made from the signature. */
class ZerosFailed extends Error {}

/** Starts runner processes of one model, all in the same way. */
export class Launcher {
  readonly #options: ModelOptions;
  readonly #clock: Clock;
  readonly #log: EngineLog;
  #facts: ModelFacts | undefined;
  /** Whether runners survive the warm-up request that is made from the signature, as far as is known. */
  #survivesZeros = true;

  constructor(options: ModelOptions, clock: Clock, log: EngineLog) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined until the first runner is up. */
  get facts(): ModelFacts | undefined {
    return this.#facts;
  }

  /**
   * Starts a process, loads the model and warms it up. When a request of zeros kills the process, starts another one
   * without a warm-up: such a request is ours, and the model may be a good one.
   *
   * @throws AppError `MODEL_LOAD_FAILED` when any of it fails or takes longer than `loadTimeoutMs`
   */
  async launch(signal: AbortSignal): Promise<RunnerProcess> {
    try {
      return await this.#launchOnce(signal);
    } catch (error) {
      if (!(error instanceof ZerosFailed)) throw error;
      if (signal.aborted) throw new AppError('MODEL_LOAD_FAILED', { message: error.message, cause: error });
      this.#survivesZeros = false;
      this.#log.warn(
        { reason: error.message },
        'the model did not survive the warm-up request that was made from its signature; it starts without a warm-up',
      );
      return this.#launchOnce(signal);
    }
  }

  async #launchOnce(signal: AbortSignal): Promise<RunnerProcess> {
    const { name, loadTimeoutMs } = this.#options;
    const runner = new RunnerProcess({ model: name, clock: this.#clock, log: this.#log });
    const cancelTimeout = this.#clock.setTimer(loadTimeoutMs, () =>
      runner.kill(`loading and warming up took longer than ${loadTimeoutMs} ms`),
    );
    const onAbort = () => runner.kill('the model was closed');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await this.#prepare(runner);
      return runner;
    } catch (error) {
      runner.kill('it could not serve the model');
      await runner.exited;
      throw error;
    } finally {
      cancelTimeout();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #prepare(runner: RunnerProcess): Promise<void> {
    const { path, readIntoMemory = [], session, instances, warmup, batching } = this.#options;
    const intraOpThreads = session.intraOpThreads ?? Math.max(1, Math.floor(availableParallelism() / instances));
    await this.#options.checkFiles?.();
    const servable = await runner.load({ path, readIntoMemory, session: { ...session, intraOpThreads } });
    await this.#options.checkFiles?.();
    const { signature, unservable } = servable;
    if (this.#facts !== undefined && !isDeepStrictEqual(signature, this.#facts.signature)) {
      throw new AppError('MODEL_LOAD_FAILED', { message: 'The model file now holds a model of another signature' });
    }
    if (warmup !== undefined) await warmUp(runner, signature, warmup);
    else if (this.#survivesZeros) await this.#warmUpOnZeros(runner, signature);
    if (this.#facts !== undefined) return;
    if (unservable.length > 0) {
      this.#log.warn({ outputs: unservable }, 'outputs of the model that are no tensors are left out');
    }
    const batchable = batching.enabled && (await this.#isBatchable(runner, signature));
    this.#facts = { ...servable, batchable };
  }

  async #warmUpOnZeros(runner: RunnerProcess, signature: Signature): Promise<void> {
    const patienceMs = this.#options.loadTimeoutMs * zerosShare;
    const cancel = this.#clock.setTimer(patienceMs, () =>
      runner.kill(`it ran on zeros for more than ${patienceMs} ms`),
    );
    try {
      const reason = await warmUpOnZeros(runner, signature, this.#log);
      if (reason !== undefined) throw new ZerosFailed(reason);
    } finally {
      cancel();
    }
  }

  async #isBatchable(runner: RunnerProcess, signature: Signature): Promise<boolean> {
    const { warmup } = this.#options;
    if (warmup === undefined && !this.#survivesZeros) return claimsBatching(signature, this.#log);
    return isBatchable(runner, signature, warmup?.[0] ?? madeUpRequest(signature), this.#log);
  }
}
