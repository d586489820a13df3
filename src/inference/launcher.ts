import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { EngineLog } from './engine-log.ts';
import type { ModelOptions } from './model-options.ts';
import { RunnerProcess } from './runner/runner-process.ts';
import type { ServableSignature } from './runner/signature.ts';
import { isBatchable, madeUpRequest, warmUp } from './warm-up.ts';

/** What the first runner of a model found out about it. */
export interface ModelFacts extends ServableSignature {
  readonly batchable: boolean;
}

/** Starts runner processes of one model, all in the same way. */
export class Launcher {
  readonly #options: ModelOptions;
  readonly #clock: Clock;
  readonly #log: EngineLog;
  #facts: ModelFacts | undefined;

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
   * Starts a process, loads the model and warms it up.
   *
   * @throws AppError `MODEL_LOAD_FAILED` when any of it fails or takes longer than `loadTimeoutMs`
   */
  async launch(signal: AbortSignal): Promise<RunnerProcess> {
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
    const { path, session, instances, warmup, batching } = this.#options;
    const intraOpThreads = session.intraOpThreads ?? Math.max(1, Math.floor(availableParallelism() / instances));
    await this.#options.beforeLoad?.();
    const servable = await runner.load({ path, session: { ...session, intraOpThreads } });
    const { signature, unservable } = servable;
    if (this.#facts !== undefined && !isDeepStrictEqual(signature, this.#facts.signature)) {
      throw new AppError('MODEL_LOAD_FAILED', { message: 'The model file now holds a model of another signature' });
    }
    await warmUp(runner, signature, warmup, this.#log);
    if (this.#facts !== undefined) return;
    if (unservable.length > 0) {
      this.#log.warn({ outputs: unservable }, 'outputs of the model that are no tensors are left out');
    }
    const probe = warmup?.[0] ?? madeUpRequest(signature);
    const batchable = batching.enabled && (await isBatchable(runner, signature, probe, this.#log));
    this.#facts = { ...servable, batchable };
  }
}
