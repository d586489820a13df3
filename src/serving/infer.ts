import type { Clock } from '../inference/clock.ts';
import { newPhases, type Phases } from '../inference/phases.ts';
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
  /** Names of the wanted outputs; all when absent. */
  readonly outputs?: readonly string[] | undefined;
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
  readonly outputs: Tensors;
  readonly phases: Phases;
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
}

export function createInfer({ registry, clock, timeoutMs, statistics }: InferDependencies): Infer {
  return async (request, encode) => {
    const startedMs = clock.now();
    const lease = registry.acquire(request.model, request.version);
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
        phases,
      });
      statistics.recordSuccess(name, version, { totalMs: clock.now() - startedMs, encodeMs, phases });
      return { model: served, outputs, phases };
    } catch (thrown) {
      statistics.recordFailure(name, version, clock.now() - startedMs);
      throw thrown;
    } finally {
      lease.release();
    }
  };
}
