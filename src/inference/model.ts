import { AppError } from '../errors.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { BatchedModel } from './batched-model.ts';
import type { Engine } from './engine.ts';
import type { EngineEvents } from './events.ts';
import { Launcher } from './launch/launcher.ts';
import type { ModelOptions } from './model-options.ts';
import type { Predictor } from './predictor.ts';
import { niceRunner } from './runner/nice-runner.ts';
import { RunnerPool } from './runner/pool/runner-pool.ts';
import { type SpawnRunner, spawnRunner } from './runner/spawn-runner.ts';

export type { ModelOptions } from './model-options.ts';

export interface EngineDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly events?: EngineEvents;
  /** Ends the load; a model that is loaded ignores it. @default never */
  readonly signal?: AbortSignal | undefined;
  /** Starts the runners. @default processes */
  readonly spawn?: SpawnRunner | undefined;
}

/**
 * Starts the runners of a model and warms them up.
 *
 * @throws AppError `MODEL_LOAD_FAILED` with the reason in its message; the reason of the signal, when no process is left
 */
export async function loadModel(options: ModelOptions, dependencies: EngineDependencies): Promise<Predictor & Engine> {
  const { name, version } = options;
  const { clock, events, signal } = dependencies;
  signal?.throwIfAborted();
  const log = withFields(dependencies.log, { model: name, version });
  const launcher = new Launcher(options, { clock, log, spawn: spawnFor(options, dependencies.spawn) });
  // The pool and the model know each other: the model is told when runners come and go.
  let model: BatchedModel | undefined;
  const pool = new RunnerPool({
    instances: options.instances,
    timeoutMs: options.timeoutMs,
    memoryLimitBytes: (options.memoryLimitMb ?? Number.POSITIVE_INFINITY) * 2 ** 20,
    clock,
    log,
    start: (signal) => launcher.launch(signal),
    onRestart: (reason) => events?.onRunnerRestart?.(name, version, reason),
    onChange: () => model?.executorsChanged(),
  });
  const end = () => void pool.close();
  signal?.addEventListener('abort', end, { once: true });
  try {
    const [first, ...others] = pool.slots;
    await first?.start();
    const { facts } = launcher;
    if (facts === undefined) throw new AppError('MODEL_LOAD_FAILED', { message: 'A model needs at least one runner' });
    model = new BatchedModel(options, facts, pool, { clock, log, ...(events !== undefined && { events }) });
    await Promise.all(others.map((slot) => slot.start()));
    return model;
  } catch (error) {
    await pool.close();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

function withFields(log: Log, fields: object): Log {
  return {
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  };
}

function spawnFor({ nice }: ModelOptions, spawn: SpawnRunner | undefined): SpawnRunner | undefined {
  return nice === undefined ? spawn : niceRunner(spawn ?? spawnRunner, nice);
}
