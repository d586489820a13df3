import { type AppError, toAppError } from '../errors.ts';
import type { Prediction } from '../inference/predictor.ts';
import type { Timings } from '../inference/timings.ts';
import type { Lease } from '../models/registry/lease.ts';
import type { Registry } from '../models/registry/registry.ts';
import type { ServedCounters } from '../served/served-counters.ts';
import type { Tensors } from '../tensor/tensor.ts';
import type { Clock } from '../timing/clock.ts';
import { checkAnswer } from './answer-limit.ts';
import type { CallTerms } from './call-terms.ts';
import { type EncodeContext, encodeContext } from './encode-context.ts';
import { type GroupedInstances, runGroups } from './instance-groups.ts';
import { refuseStranger } from './refuse-stranger.ts';
import { type RunDependencies, runSeparately, runsSeparately, type SeparateInstances } from './separate-instances.ts';
import { type ServedModel, servedModelOf } from './served-model.ts';
import type { KeptInputs } from './traffic/kept-inputs.ts';

/** A request to a model, in the terms of its call. */
export interface InferRequest extends CallTerms {
  readonly model: string;
  /** The highest loaded version when absent. */
  readonly version?: string | undefined;
  /** The version that answers, where the caller holds it already; released when the answer is there. */
  readonly lease?: Lease | undefined;
  /** Names of the wanted outputs, which may be told by the model that answers; all when absent. */
  readonly outputs?: readonly string[] | ((model: ServedModel) => readonly string[] | undefined) | undefined;
  /** What stands behind the tensors, for logs; the tensors themselves when absent. */
  readonly typed?: TypedRequest | undefined;
  /** For requests whose instances may run each by itself, where the model takes one at a time. */
  readonly separate?: SeparateInstances<ServedModel> | undefined;
  /** For requests whose encoder says which instances share a run; goes before everything else. */
  readonly grouped?: GroupedInstances<ServedModel> | undefined;
}

/**
 * A request in the terms of its client, as plain data. What its {@link Decode} returns is in these terms too: a list of
 * one result for each instance.
 */
export interface TypedRequest {
  /** Name of the domain that defines these terms. */
  readonly domain: string;
  /** What the tensors are made from. */
  readonly instances: readonly unknown[];
  /** What the request says beside them, as plain data: by it the instances can be asked again. @default nothing */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

export interface InferResult<Answer> extends DecodableInference {
  /** What decoding has made of the outputs. */
  readonly answer: Answer;
  readonly decodeMs: number;
  /** Names the prediction in the prediction log; undefined if it is not kept. */
  readonly predictionId: string | undefined;
}

/** What decoding is given. */
export interface DecodableInference extends Inference {
  /** Most bytes that the answer may have in its wire format. */
  readonly answerLimitBytes: number;
}

/** What a model has made of inputs. */
export interface Inference {
  readonly model: ServedModel;
  /** Those of the first run, where there are several; so are the outputs. */
  readonly inputs: Tensors;
  readonly outputs: Tensors;
  /** The outputs of every run, where each instance ran by itself. */
  readonly runs?: readonly Tensors[];
  /** Which instances each run is about, where the encoder has said so. */
  readonly groups?: readonly (readonly number[])[];
  readonly timings: Timings;
  /** What became of the steps of a graph; undefined for other models, and where there were several runs. */
  readonly steps?: Prediction['steps'];
  /** What the cache of the model did, over all runs; undefined where it has none. */
  readonly cache?: Prediction['cache'];
  /** Making the inputs. */
  readonly encodeMs: number;
  /** From the call to the outputs. */
  readonly totalMs: number;
}

/** Is told of every inference that has outputs, before its answer is decoded. It must not throw, and costs time on the way of every request. */
export interface InferObserver {
  onAnswer(request: InferRequest, result: Inference): void;
}

/** What another version has made of the inputs of a prediction. */
export interface ShadowRecord {
  /** Names the prediction. */
  readonly of: string;
  readonly requestId: string;
  readonly caller: InferRequest['caller'];
  /** Name of the domain whose terms the results are in; undefined: tensors. */
  readonly domain: string | undefined;
  /** Predictions that the request is, where they are not the rows of its tensors. */
  readonly instances: number | undefined;
  /** With the property of the version that answered by which the rows of the prediction are counted. */
  readonly model: ServedModel;
  readonly inputs: Tensors;
  readonly end: { readonly inference: Inference; readonly results: readonly unknown[] } | { readonly error: AppError };
}

/** Keeps predictions, so that they can be looked up and judged. What holds of an {@link InferObserver} holds of it. */
export interface PredictionRecorder {
  /**
   * @param answer what {@link Decode} returned
   * @returns names the prediction; undefined if it is not kept
   */
  recordAnswer(request: InferRequest, inference: Inference, answer: unknown): string | undefined;
  /**
   * Called also where the model has answered and its answer could not be decoded.
   *
   * @param model undefined when no version could take the request
   */
  recordFailure(request: InferRequest, model: ServedModel | undefined, error: AppError): void;
  /** Keeps what another version has made of the inputs of a prediction that is kept. */
  recordShadow(shadow: ShadowRecord): void;
}

/** An answer that a version is to be compared with. */
export interface AnsweredRequest {
  readonly request: InferRequest;
  /** Returned already. */
  readonly lease: Lease;
  readonly inference: DecodableInference;
  readonly kept: KeptInputs;
  /** Names the prediction in the prediction log; undefined if it is not kept. */
  readonly predictionId: string | undefined;
  readonly decode: Decode<unknown>;
}

/** Gives copies of answered requests to other versions. What holds of an {@link InferObserver} holds of it. */
export interface ShadowDesk {
  /** Where the inputs of a request are to be kept; undefined where no version gets a copy of it. */
  keep(lease: Lease): KeptInputs | undefined;
  /** Copies what it needs before it returns, and begins when the answer has been given to its transport. */
  offer(answered: AnsweredRequest): void;
}

/** Makes the inputs; it may look at the model that will take them, and at how long the answer is waited for. */
export type Encode = (model: ServedModel, context: EncodeContext) => Tensors | Promise<Tensors>;

/** Makes the answer of the outputs; the lease of the model has been returned by then. */
export type Decode<Answer> = (inference: DecodableInference) => Answer | Promise<Answer>;

/**
 * The one use case: every route, task and command predicts by it.
 *
 * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `MODEL_NOT_READY`, `FORBIDDEN`, `ANSWER_TOO_LARGE`, and what encoding,
 *   predicting and decoding throw
 */
export type Infer = <Answer>(
  request: InferRequest,
  encode: Encode,
  decode: Decode<Answer>,
) => Promise<InferResult<Answer>>;

export interface InferDependencies {
  readonly registry: Pick<Registry, 'acquire'>;
  readonly clock: Clock;
  /** Longest deadline of any request. */
  readonly timeoutMs: number;
  readonly counters: ServedCounters;
  /** Most bytes that the outputs of a prediction may have. @default no limit */
  readonly answerLimitBytes?: number;
  /** @default none */
  readonly observers?: readonly InferObserver[];
  /** @default nothing is kept */
  readonly recorder?: PredictionRecorder | undefined;
  /** @default no version gets copies of requests */
  readonly shadows?: ShadowDesk | undefined;
}

export function createInfer(dependencies: InferDependencies): Infer {
  const { registry, clock, timeoutMs, counters, observers = [], recorder, shadows } = dependencies;
  const { answerLimitBytes = Number.POSITIVE_INFINITY } = dependencies;

  const acquire = (request: InferRequest) => {
    try {
      return serve(request.lease ?? registry.acquire(request.model, request.version, request));
    } catch (thrown) {
      const error = toAppError(thrown);
      counters.recordRefusal(request.model, error.code);
      recorder?.recordFailure(request, undefined, error);
      throw thrown;
    }
  };

  return async (request, encode, decode) => {
    const startedMs = clock.now();
    const { lease, served } = acquire(request);
    const { name, version, manifest } = served;
    if (lease.routed !== undefined) counters.recordRouted(name, version, lease.routed);
    let inference: DecodableInference;
    const kept = shadows?.keep(lease);
    try {
      refuseStranger(request.caller, served);
      const allowedMs = Math.min(request.timeoutMs ?? timeoutMs, timeoutMs, manifest.timeoutMs);
      const wanted = typeof request.outputs === 'function' ? request.outputs(served) : request.outputs;
      const context = {
        requestId: request.requestId,
        signal: request.signal,
        deadlineMs: startedMs + allowedMs,
        ...(wanted !== undefined && { outputs: wanted }),
        priority: request.priority,
        trace: request.trace,
        caller: request.caller,
        headers: request.headers,
        arrivedAt: Date.now(),
      };
      const ran = await run(request, encode, { served, lease, context, clock, kept });
      for (const outputs of ran.runs ?? [ran.outputs]) checkAnswer(Object.values(outputs), answerLimitBytes);
      inference = { model: served, ...ran, totalMs: clock.now() - startedMs, answerLimitBytes };
      counters.recordSuccess(name, version, inference);
      for (const observer of observers) observer.onAnswer(request, inference);
    } catch (thrown) {
      const error = toAppError(thrown);
      counters.recordFailure(name, version, error.code, clock.now() - startedMs);
      recorder?.recordFailure(request, served, error);
      throw thrown;
    } finally {
      lease.release();
    }
    try {
      const decodeStartedMs = clock.now();
      const decoded = decode(inference);
      const answer = decoded instanceof Promise ? await decoded : decoded;
      const decodeMs = clock.now() - decodeStartedMs;
      const predictionId = recorder?.recordAnswer(request, inference, answer);
      if (kept !== undefined) shadows?.offer({ request, lease, inference, kept, predictionId, decode });
      return { ...inference, answer, decodeMs, predictionId };
    } catch (thrown) {
      recorder?.recordFailure(request, served, toAppError(thrown));
      throw thrown;
    }
  };
}

/** A lease whose model cannot be looked at is returned at once. */
function serve(lease: Lease): { readonly lease: Lease; readonly served: ServedModel } {
  try {
    return { lease, served: servedModelOf(lease) };
  } catch (thrown) {
    lease.release();
    throw thrown;
  }
}

/** All instances in one run, each by itself, or in the groups that the encoder makes. */
function run(
  { separate, grouped }: InferRequest,
  encode: Encode,
  dependencies: RunDependencies<ServedModel>,
): Promise<Ran> {
  if (grouped !== undefined) return runGroups(grouped, dependencies);
  if (separate !== undefined && separate.count > 1 && runsSeparately(separate, dependencies.served)) {
    return runSeparately(separate, dependencies);
  }
  return runOnce(encode, dependencies);
}

type Ran = Pick<Inference, 'inputs' | 'outputs' | 'runs' | 'groups' | 'timings' | 'steps' | 'cache' | 'encodeMs'>;

async function runOnce(encode: Encode, dependencies: RunDependencies<ServedModel>): Promise<Ran> {
  const { served, lease, context, clock, kept } = dependencies;
  const startedMs = clock.now();
  const encoded = encode(served, encodeContext(context, clock));
  // Most encoders need not wait, and a turn of the microtasks costs every small request.
  const inputs = encoded instanceof Promise ? await encoded : encoded;
  const encodeMs = clock.now() - startedMs;
  kept?.add(0, inputs);
  const { outputs, timings, steps, cache } = await lease.predictor.predict(inputs, context);
  return { inputs, outputs, timings, steps, cache, encodeMs };
}
