import type { AppError } from '../../errors.ts';
import type { Inference, InferRequest, PredictionRecorder, ShadowRecord } from '../../serving/infer.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import { newTimeOrderedId } from '../../storage/time-ordered-id.ts';
import { copyTensors, tensorsBytes } from '../../tensor/copy.ts';
import { omittedTensors } from '../prediction-rows.ts';
import { type CapturedEnd, type CapturedPrediction, countRows, heldBytes } from './captured-prediction.ts';
import { capturedShadow } from './captured-shadow.ts';
import type { PredictionCounts } from './dropped.ts';
import type { PredictionBuffer } from './prediction-buffer.ts';
import { RateSampler } from './rate-sampler.ts';

export interface RecorderOptions {
  /** Part of the predictions that is kept, from 0 to 1, of models that do not say otherwise. */
  readonly share: number;
  readonly maxPerSecond: number;
  /** Largest inputs of one instance that are kept. */
  readonly maxInstanceBytes: number;
}

export interface RecorderDependencies {
  readonly buffer: PredictionBuffer;
  readonly counts: PredictionCounts;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/** Captures predictions while they are answered: a choice, and a reference in a buffer, for every request. */
export class BufferedRecorder implements PredictionRecorder {
  readonly #share: number;
  readonly #maxInstanceBytes: number;
  readonly #sampler: RateSampler;
  readonly #dependencies: RecorderDependencies;
  readonly #random: () => number;

  constructor({ share, maxPerSecond, maxInstanceBytes }: RecorderOptions, dependencies: RecorderDependencies) {
    this.#share = share;
    this.#maxInstanceBytes = maxInstanceBytes;
    this.#dependencies = dependencies;
    this.#random = dependencies.random ?? Math.random;
    this.#sampler = new RateSampler(maxPerSecond, this.#random);
  }

  recordAnswer(request: InferRequest, inference: Inference, answer: unknown): string | undefined {
    if (!this.#isChosen(inference.model)) return undefined;
    return this.#take(request, inference.model, { inference }, answer);
  }

  recordFailure(request: InferRequest, model: ServedModel | undefined, error: AppError): void {
    // Names of unknown models would become rows of any text that a client sends.
    if (error.kind === 'not_found' || !this.#isChosen(model)) return;
    this.#take(request, model ?? { name: request.model, version: request.version }, { error });
  }

  /** Kept whatever the share and the rate: half of a pair says nothing. */
  recordShadow(shadow: ShadowRecord): void {
    const { buffer, counts, wallClock } = this.#dependencies;
    const captured = capturedShadow(shadow, newTimeOrderedId(wallClock()));
    if (!buffer.push(captured)) counts.drop('buffer_full', captured.rows);
  }

  #isChosen(model: ServedModel | undefined): boolean {
    const share = model?.manifest.predictionLog.share ?? this.#share;
    return share >= 1 || (share > 0 && this.#random() < share);
  }

  #take(request: InferRequest, model: ModelOfCapture, end: CapturedEnd, answer?: unknown): string | undefined {
    const { buffer, counts, now, wallClock } = this.#dependencies;
    // Of a model that could not be leased, the fields to hide are unknown.
    const typed = model.manifest === undefined ? undefined : request.typed;
    const rows = countRows(typed, end.inference);
    if (!this.#sampler.take(rows, now())) {
      counts.drop('rate', rows);
      return undefined;
    }
    const held = end.inference === undefined ? end : this.#hold(end.inference, rows, typed !== undefined);
    const results = typed !== undefined && Array.isArray(answer) ? answer : [];
    const captured: CapturedPrediction = {
      largeInputs: undefined,
      ...held,
      uuid: newTimeOrderedId(wallClock()),
      requestId: request.requestId,
      caller: request.caller,
      model: { name: model.name, version: model.version },
      redact: model.manifest?.predictionLog.redact ?? [],
      keepsFiles: model.manifest?.predictionLog.files ?? false,
      typed,
      shadowOf: undefined,
      results,
      rows,
      bytes: heldBytes({ inference: held.inference, typed, results }),
    };
    if (buffer.push(captured)) return captured.uuid;
    counts.drop('buffer_full', rows);
    return undefined;
  }

  /** Of a typed request no tensors are held, and of others those that are kept. */
  #hold({ runs: _, ...inference }: Inference, rows: number, isTyped: boolean) {
    if (isTyped) return { inference: { ...inference, inputs: {}, outputs: {} } };
    const { inputs } = inference;
    const outputs = copyTensors(inference.outputs);
    const isLarge = tensorsBytes(inputs) > this.#maxInstanceBytes * rows;
    if (!isLarge) return { inference: { ...inference, inputs: copyTensors(inputs), outputs } };
    return { inference: { ...inference, inputs: {}, outputs }, largeInputs: omittedTensors(inputs, rows) };
  }
}

type ModelOfCapture = { readonly name: string; readonly version: string | undefined } & Partial<
  Pick<ServedModel, 'manifest'>
>;
