import type { AppError } from '../../errors.ts';
import type { Inference, InferRequest, TypedRequest } from '../../serving/infer.ts';
import { fieldBytes, valueBytes } from '../../serving/traffic/value-bytes.ts';
import { tensorsBytes } from '../../tensor/copy.ts';
import { commonRows } from '../../tensor/rows.ts';

/** How a request ended. */
export type CapturedEnd =
  | { readonly inference: Inference; readonly error?: undefined }
  | { readonly inference?: undefined; readonly error: AppError };

/** What is captured while a request is answered. Nothing is copied or written as text until the answer is gone. */
export type CapturedPrediction = CapturedEnd & {
  /** Says also when the prediction ended. */
  readonly uuid: string;
  readonly requestId: string;
  readonly caller: InferRequest['caller'];
  readonly model: { readonly name: string; readonly version: string | undefined };
  /** Names of the fields that this model's predictions are kept without. */
  readonly redact: readonly string[];
  readonly keepsFiles: boolean;
  readonly typed: TypedRequest | undefined;
  /** Names the prediction whose inputs another version was given to compare; its own are not held then. */
  readonly shadowOf: string | undefined;
  /** What a typed request was answered, one result for each instance. */
  readonly results: readonly unknown[];
  /** JSON of what is kept of each row of the inputs if they are too large; they are not held then. */
  readonly largeInputs: string | undefined;
  /** Predictions that the request is. */
  readonly rows: number;
  /** About what is held in memory. */
  readonly bytes: number;
};

/** `OK`, or the code of the error. */
export function formatEnd({ error }: CapturedEnd): string {
  return error === undefined ? 'OK' : error.code;
}

/** Predictions that a request is: its instances; the rows of its tensors where rows are independent; else one. */
export function countRows(
  typed: TypedRequest | undefined,
  inference: Pick<Inference, 'model' | 'inputs' | 'outputs'> | undefined,
): number {
  if (typed !== undefined) return typed.instances.length;
  if (inference === undefined || !inference.model.independentRows) return 1;
  return Math.max(1, commonRows([...Object.values(inference.inputs), ...Object.values(inference.outputs)]));
}

/** About how many bytes stay in memory with a request. */
export function heldBytes({ inference, typed, results }: Pick<CapturedPrediction, 'inference' | 'typed' | 'results'>) {
  let bytes = fieldBytes + tensorsBytes(inference?.inputs ?? {}) + tensorsBytes(inference?.outputs ?? {});
  for (const instance of typed?.instances ?? []) bytes += valueBytes(instance);
  for (const result of results) bytes += valueBytes(result);
  return bytes;
}
