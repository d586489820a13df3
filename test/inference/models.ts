import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Engine } from '../../src/inference/engine.ts';
import { loadModel, type ModelOptions } from '../../src/inference/model.ts';
import type { PredictContext, Predictor } from '../../src/inference/predictor.ts';
import type { SpawnRunner } from '../../src/inference/runner/spawn-runner.ts';
import type { Tensors } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';

export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A log that keeps what is written. */
export function recordingLog() {
  const entries: LogEntry[] = [];
  const write = (level: LogEntry['level']) => (fields: object, message: string) => {
    entries.push({ level, fields: { ...fields }, message });
  };
  return { entries, info: write('info'), warn: write('warn'), error: write('error') };
}

export function fixturePath(model: string): string {
  return fileURLToPath(new URL(`../fixtures/models/${model}.onnx`, import.meta.url));
}

type Overrides = Omit<Partial<ModelOptions>, 'batching'> & { readonly batching?: Partial<ModelOptions['batching']> };

export function modelOptions(model: string, overrides: Overrides = {}): ModelOptions {
  return {
    name: model,
    version: '1',
    path: fixturePath(model),
    instances: 1,
    session: {},
    timeoutMs: 20_000,
    loadTimeoutMs: 20_000,
    ...overrides,
    batching: {
      enabled: 'auto',
      maxSize: 32,
      maxRequestRows: overrides.batching?.maxSize ?? 32,
      maxDelayMs: 0,
      maxQueueRows: 1_000,
      maxQueueBytes: 64 * 2 ** 20,
      ...overrides.batching,
    },
  };
}

/** Loads a model of the fixtures and closes it after the test; its runners are processes, unless they are started otherwise. */
export async function openModel(model: string, overrides: Overrides = {}, spawn?: SpawnRunner) {
  const log = recordingLog();
  const restarts: string[] = [];
  const batches: { rows: number; requests: number }[] = [];
  const loaded = await loadModel(modelOptions(model, overrides), {
    clock: systemClock,
    log,
    spawn,
    events: {
      onRunnerRestart: (_model, _version, reason) => restarts.push(reason),
      onBatch: (_model, _version, { rows, requests }) => batches.push({ rows, requests }),
    },
  });
  onTestFinished(() => loaded.close());
  return { model: loaded, log: log.entries, restarts, batches };
}

export function context(overrides: Partial<PredictContext> & { timeoutMs?: number } = {}): PredictContext {
  const { timeoutMs = 20_000, ...rest } = overrides;
  return {
    requestId: 'test',
    signal: new AbortController().signal,
    deadlineMs: systemClock.now() + timeoutMs,
    arrivedAt: Date.now(),
    ...rest,
  };
}

/** What the model makes of the inputs. */
export async function outputsOf(model: Predictor, inputs: Tensors, asked = context()): Promise<Tensors> {
  const { outputs } = await model.predict(inputs, asked);
  return outputs;
}

/** The process of the model's only runner. */
export function runnerPid(model: Engine): number {
  const pid = model.stats().runners[0]?.pid;
  if (pid === undefined) throw new Error('the model has no runner');
  return pid;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when the model is in that state. */
export function whenReady(model: Predictor & Engine, ready: boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = model.whenHealthChanges((health) => check(health.ready));
    const check = (now: boolean) => {
      if (now !== ready) return;
      stop();
      resolve();
    };
    check(model.health.ready);
  });
}
