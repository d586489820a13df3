import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../errors.ts';
import type { Tensors } from '../../tensor/tensor.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import { decideIndependence } from '../independence/decide.ts';
import { dependent, type Independence } from '../independence/independence.ts';
import { TrialDied, TrialRunner } from '../independence/trial-runner.ts';
import type { ModelOptions } from '../model-options.ts';
import { RunnerProcess } from '../runner/runner-process.ts';
import type { ServableSignature } from '../runner/signature.ts';
import type { SpawnRunner } from '../runner/spawn-runner.ts';
import { chooseThreads } from './thread-trial.ts';
import { warmUp, warmUpOnMadeUp, warmUpRun } from './warm-up.ts';

/** What the first runner of a model found out about it. */
export interface ModelFacts extends ServableSignature {
  readonly independence: Independence;
  /** A request that the model took; undefined when none is known. */
  readonly example: Tensors | undefined;
  /** Threads inside an operator. */
  readonly intraOpThreads: number;
}

interface LauncherDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** @default a process */
  readonly spawn?: SpawnRunner | undefined;
}

interface TriedModel {
  readonly servable: ServableSignature;
  readonly example: Tensors;
}

/** The file of a model that is loaded anew for each number of threads that is tried. */
const smallModelBytes = 8 * 2 ** 20;

/** Share of `loadTimeoutMs` after which runs of made-up requests are taken for a hang. */
const madeUpShare = 1 / 4;

/** Starts runner processes of one model, all in the same way. */
export class Launcher {
  readonly #options: ModelOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #spawn: SpawnRunner | undefined;
  #facts: ModelFacts | undefined;
  /** As the first runner has read it from the file. */
  #servable: ServableSignature | undefined;
  /** Why runners do not survive requests that are made from the signature; undefined as far as they do. */
  #madeUpKills: string | undefined;

  constructor(options: ModelOptions, { clock, log, spawn }: LauncherDependencies) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#spawn = spawn;
  }

  /** Undefined until the first runner is up. */
  get facts(): ModelFacts | undefined {
    return this.#facts;
  }

  /**
   * Starts a process, loads the model, warms it up, and tries whether its rows are independent. When a made-up request
   * kills the process, starts another one without any: such a request is ours, and the model may be a good one.
   *
   * @throws AppError `MODEL_LOAD_FAILED` when any of it fails or takes longer than `loadTimeoutMs`
   */
  async launch(signal: AbortSignal): Promise<RunnerProcess> {
    try {
      return await this.#launchOnce(signal);
    } catch (error) {
      if (!(error instanceof TrialDied)) throw error;
      if (signal.aborted) throw new AppError('MODEL_LOAD_FAILED', { message: error.message, cause: error });
      this.#madeUpKills = error.message;
      this.#log.warn(
        { reason: error.message },
        'the model did not survive a request that was made from its signature; it starts without such requests',
      );
      return this.#launchOnce(signal);
    }
  }

  async #launchOnce(signal: AbortSignal): Promise<RunnerProcess> {
    const { name, loadTimeoutMs } = this.#options;
    const runner = new RunnerProcess({ model: name, clock: this.#clock, log: this.#log, spawn: this.#spawn });
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
    const mayTry = this.#options.session.intraOpThreads === undefined && this.#facts === undefined;
    const threads = this.#facts?.intraOpThreads ?? this.#firstThreads(mayTry && (await this.#isSmall()));
    const servable = await this.#load(runner, threads);
    if (this.#servable !== undefined && !isDeepStrictEqual(servable.signature, this.#servable.signature)) {
      throw new AppError('MODEL_LOAD_FAILED', { message: 'The model file now holds a model of another signature' });
    }
    this.#servable ??= servable;
    const trial = new TrialRunner(runner, servable.signature);
    const example = await this.#warmUp(trial, servable);
    if (this.#facts !== undefined) return;
    if (servable.unservable.length > 0) {
      this.#log.warn({ outputs: servable.unservable }, 'outputs of the model that are no tensors are left out');
    }
    const independence = await this.#independence(trial, servable);
    const intraOpThreads =
      mayTry && threads === 1 && example !== undefined
        ? await this.#tryThreads(runner, { servable, example, independence })
        : threads;
    this.#facts = { ...servable, signature: trial.correctedSignature(), independence, example, intraOpThreads };
  }

  async #load(runner: RunnerProcess, intraOpThreads: number): Promise<ServableSignature> {
    const { path, readIntoMemory = [], session, maxOutputBytes } = this.#options;
    await this.#options.checkFiles?.();
    const servable = await runner.load({
      path,
      readIntoMemory,
      ...(maxOutputBytes !== undefined && { maxOutputBytes }),
      session: { ...session, intraOpThreads },
    });
    await this.#options.checkFiles?.();
    return servable;
  }

  get #mostThreads(): number {
    return Math.max(1, Math.floor(availableParallelism() / this.#options.instances));
  }

  /** Threads of the first session: one where a trial may find more. */
  #firstThreads(willTry: boolean): number {
    return this.#options.session.intraOpThreads ?? (willTry ? 1 : this.#mostThreads);
  }

  /** Whether the model can be loaded several times for a trial without making its load much longer. */
  async #isSmall(): Promise<boolean> {
    if ((this.#options.readIntoMemory ?? []).length > 0) return false;
    const file = await stat(this.#options.path).catch(() => undefined);
    return file !== undefined && file.size < smallModelBytes;
  }

  #tryThreads(runner: RunnerProcess, found: Pick<ModelFacts, 'independence'> & TriedModel): Promise<number> {
    const { servable, example, independence } = found;
    const mostRows = independence.independentRows
      ? Math.min(this.#options.batching.maxSize, independence.provenRows)
      : 1;
    return chooseThreads({
      runner,
      request: (rows) => warmUpRun(servable.signature, example, rows),
      mostRows,
      mostThreads: this.#mostThreads,
      use: async (threads) => void (await this.#load(runner, threads)),
    });
  }

  /** Gives a request that the model has taken, if one is known. */
  async #warmUp(trial: TrialRunner, { signature }: ServableSignature): Promise<Tensors | undefined> {
    const { warmup } = this.#options;
    if (warmup !== undefined) {
      await warmUp(trial, signature, warmup);
      return warmup[0];
    }
    if (this.#madeUpKills !== undefined) return undefined;
    return this.#inTime(trial, () => warmUpOnMadeUp(trial, signature, this.#log));
  }

  #independence(trial: TrialRunner, { signature }: ServableSignature): Promise<Independence> {
    const { path, isCode, batching, warmup } = this.#options;
    const decide = () =>
      decideIndependence({ path, isCode, signature, batching, given: warmup, trial, now: () => this.#clock.now() });
    if (this.#madeUpKills === undefined) return this.#inTime(trial, decide);
    const why = `It could not be tried: a made-up request ended the runner (${this.#madeUpKills}).`;
    return Promise.resolve(batching.enabled === 'auto' ? dependent(why) : decide());
  }

  /** Kills the runner when runs of made-up requests seem to hang. */
  async #inTime<T>(trial: TrialRunner, work: () => Promise<T>): Promise<T> {
    const patienceMs = this.#options.loadTimeoutMs * madeUpShare;
    const cancel = this.#clock.setTimer(patienceMs, () =>
      trial.kill(`made-up requests ran for more than ${patienceMs} ms`),
    );
    try {
      return await work();
    } finally {
      cancel();
    }
  }
}
