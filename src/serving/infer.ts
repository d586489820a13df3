import { type AppError, toAppError } from '../errors.ts';
import type { Clock } from '../inference/clock.ts';
import { newPhases, type Phases } from '../inference/phases.ts';
import type { Priority } from '../inference/priority.ts';
import type { TraceContext } from '../inference/trace-context.ts';
import type { Manifest } from '../models/manifest.ts';
import type { Registry } from '../models/registry.ts';
import type { Signature, Tensors } from '../tensor/tensor.ts';
import type { Statistics } from './statistics.ts';

/** Who asks, for which model, and until when the answer is of use. */
export interface InferRequest {
  readonly model: string;
  /** The highest loaded version when absent. */
  readonly version?: string | undefined;
  readonly requestId: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Capped by the deadline of the server and by that of the model; both when absent. */
  readonly timeoutMs?: number | undefined;
  /** How urgent it is; 0 or absent stands for the level of most requests. */
  readonly priority?: Priority | undefined;
  /** Names of the wanted outputs; all when absent. */
  readonly outputs?: readonly string[] | undefined;
  /** The trace that the request belongs to. */
  readonly trace?: TraceContext | undefined;
  /** What the inputs are made from, for the prediction log; the inputs themselves when absent. */
  readonly instances?: readonly unknown[] | undefined;
}

/** A model as an encoder sees it. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly signature: Signature;
  readonly manifest: Manifest;
  /** Whether requests share runs, so that dimension 0 of every input and output counts rows. */
  readonly batchable: boolean;
}

export interface InferResult {
  readonly model: ServedModel;
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  readonly phases: Phases;
  /** Making the inputs. */
  readonly encodeMs: number;
  /** From the call to the outputs. */
  readonly totalMs: number;
}

/** Is told of every inference when it has ended. It must not throw, and costs time on the way of every request. */
export interface InferObserver {
  onAnswer?(request: InferRequest, result: InferResult): void;
  /** @param version undefined when no version could take the request */
  onFailure?(request: InferRequest, version: string | undefined, error: AppError): void;
}

/** Makes the inputs; it may look at the model that will take them. */
export type Encode = (model: ServedModel) => Tensors | Promise<Tensors>;

/**
 * The one use case: every route, task and command predicts by it.
 *
 * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `MODEL_NOT_READY`, and what encoding and predicting throw
 */
export type Infer = (request: InferRequest, encode: Encode) => Promise<InferResult>;

export interface InferDependencies {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Longest deadline of any request. */
  readonly timeoutMs: number;
  readonly statistics: Statistics;
  /** @default none */
  readonly observers?: readonly InferObserver[];
}

export function createInfer(dependencies: InferDependencies): Infer {
  const { registry, clock, timeoutMs, statistics, observers = [] } = dependencies;

  const acquire = (request: InferRequest) => {
    try {
      return registry.acquire(request.model, request.version);
    } catch (thrown) {
      for (const observer of observers) observer.onFailure?.(request, undefined, toAppError(thrown));
      throw thrown;
    }
  };

  return async (request, encode) => {
    const startedMs = clock.now();
    const lease = acquire(request);
    const { name, version, manifest, model } = lease;
    try {
      const served = { name, version, manifest, signature: model.signature, batchable: model.batchable };
      const allowedMs = Math.min(request.timeoutMs ?? timeoutMs, timeoutMs, manifest.timeoutMs);
      const acquiredMs = clock.now();
      const inputs = await encode(served);
      const encodeMs = clock.now() - acquiredMs;
      const phases = newPhases();
      const outputs = await model.predict(inputs, {
        requestId: request.requestId,
        signal: request.signal,
        deadlineMs: startedMs + allowedMs,
        ...(request.outputs !== undefined && { outputs: request.outputs }),
        priority: request.priority,
        trace: request.trace,
        phases,
      });
      const result = { model: served, inputs, outputs, phases, encodeMs, totalMs: clock.now() - startedMs };
      statistics.recordSuccess(name, version, result);
      for (const observer of observers) observer.onAnswer?.(request, result);
      return result;
    } catch (thrown) {
      statistics.recordFailure(name, version, clock.now() - startedMs);
      for (const observer of observers) observer.onFailure?.(request, version, toAppError(thrown));
      throw thrown;
    } finally {
      lease.release();
    }
  };
}
