import { availableParallelism } from 'node:os';
import { AppError } from '../errors.ts';
import { checkOutputs, checkSignature } from '../tensor/check-signature.ts';
import type { Signature, Tensor, Tensors } from '../tensor/tensor.ts';
import type { Clock } from './clock.ts';
import type { EngineLog } from './engine-log.ts';
import type { EngineEvents } from './events.ts';
import type { ModelOptions } from './model-options.ts';
import type { PredictContext, Predictor } from './predictor.ts';
import { RunnerProcess } from './runner/runner-process.ts';

export interface EngineDependencies {
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly events?: EngineEvents;
}

export type ModelState = { readonly ready: true } | { readonly ready: false; readonly reason: string };

export interface RunnerStats {
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'busy' | 'dying';
  readonly rssBytes: number;
  readonly runs: number;
  readonly restarts: number;
}

export interface ModelStats {
  readonly runners: readonly RunnerStats[];
  readonly queueRows: number;
  readonly queueBytes: number;
  /** How long the oldest waiting request has waited; 0 when none waits. */
  readonly oldestWaitMs: number;
  /** The learned cost of a run, `perRowMs · rows + perRunMs`; undefined until enough runs are known. */
  readonly cost: { readonly perRowMs: number; readonly perRunMs: number } | undefined;
}

export interface LoadedModel extends Predictor {
  /** Whether requests share runs: the model takes and gives as many rows as one likes. */
  readonly batchable: boolean;
  state(): ModelState;
  stats(): ModelStats;
  /** Calls the listener whenever {@link LoadedModel.state} may have changed; the returned function ends that. */
  whenStateChanges(listener: () => void): () => void;
}

/**
 * Starts the runners of a model and warms them up.
 *
 * @throws AppError `MODEL_LOAD_FAILED` with the reason in its message
 */
export async function loadModel(options: ModelOptions, dependencies: EngineDependencies): Promise<LoadedModel> {
  const intraOpThreads =
    options.session.intraOpThreads ?? Math.max(1, Math.floor(availableParallelism() / options.instances));
  const runners = Array.from(
    { length: options.instances },
    () => new RunnerProcess({ model: options.name, ...dependencies }),
  );
  const session = { ...options.session, intraOpThreads };
  const loads = await Promise.allSettled(runners.map((runner) => runner.load({ path: options.path, session })));
  const failed = loads.find((load) => load.status === 'rejected');
  if (failed !== undefined) {
    for (const runner of runners) runner.kill('the model was not loaded');
    throw failed.reason;
  }
  const first = loads[0];
  if (first?.status !== 'fulfilled') throw new AppError('MODEL_LOAD_FAILED', { message: 'A model needs an instance' });
  return new SinglyRun(first.value.signature, runners, dependencies.clock);
}

class SinglyRun implements LoadedModel {
  readonly signature: Signature;
  readonly batchable = false;
  readonly #runners: readonly RunnerProcess[];
  readonly #clock: Clock;

  constructor(signature: Signature, runners: readonly RunnerProcess[], clock: Clock) {
    this.signature = signature;
    this.#runners = runners;
    this.#clock = clock;
  }

  async predict(inputs: Tensors, context: PredictContext): Promise<Tensors> {
    checkSignature(this.signature, inputs);
    if (context.outputs !== undefined) checkOutputs(this.signature, context.outputs);
    const names = context.outputs ?? this.signature.outputs.map((output) => output.name);
    const outputs = names.map((name) => this.signature.outputs.findIndex((output) => output.name === name));
    const joined = this.signature.inputs.map(({ name }) => {
      const tensor = inputs[name] as Tensor;
      return { ...tensor, parts: [tensor] };
    });
    const runner = this.#runners.toSorted((a, b) => a.inFlight - b.inFlight)[0] as RunnerProcess;
    const sentMs = this.#clock.now();
    const outcome = await runner.run({
      inputs: joined,
      outputs,
      rows: 1,
      latestDeadlineMs: context.deadlineMs,
      expectedMs: 0,
    });
    if (outcome.kind === 'refused') throw new AppError('MODEL_REFUSED_INPUT', { message: outcome.message });
    if (outcome.kind !== 'done')
      throw new AppError('RUNNER_DIED', { message: 'The runner died', retryAfterSeconds: 1 });
    context.phases.queueMs += outcome.startedMs - sentMs;
    context.phases.inferMs += outcome.runMs;
    context.phases.batchMs += this.#clock.now() - outcome.startedMs - outcome.runMs;
    context.phases.batchRows = 1;
    return Object.fromEntries(names.map((name, i) => [name, outcome.outputs[i] as Tensor]));
  }

  state(): ModelState {
    return { ready: true };
  }

  stats(): ModelStats {
    const runners = this.#runners.map((runner) => ({
      pid: runner.pid,
      state: runner.inFlight > 0 ? ('busy' as const) : ('ready' as const),
      rssBytes: runner.rssBytes,
      runs: runner.completedRuns,
      restarts: 0,
    }));
    return { runners, queueRows: 0, queueBytes: 0, oldestWaitMs: 0, cost: undefined };
  }

  whenStateChanges(): () => void {
    return () => {};
  }

  async close(): Promise<void> {
    for (const runner of this.#runners) runner.end();
    await Promise.all(this.#runners.map((runner) => runner.exited));
  }
}
