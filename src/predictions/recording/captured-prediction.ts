import type { AppError } from '../../errors.ts';
import type { Inference, InferRequest, TypedRequest } from '../../serving/infer.ts';
import { commonRows } from '../../tensor/rows.ts';
import { type Tensor, type Tensors, tensorBytes, tensorOver } from '../../tensor/tensor.ts';

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
  /** What a typed request was answered, one result for each instance. */
  readonly results: readonly unknown[];
  /** JSON of what is kept of each row of the inputs if they are too large; they are not held then. */
  readonly largeInputs: string | undefined;
  /** Predictions that the request is. */
  readonly rows: number;
  /** About what is held in memory. */
  readonly bytes: number;
};

/** The same tensors in memory of their own: that of inputs is the caller's, and outputs share that of their batch. */
export function ownTensors(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, ownTensor(tensor)]));
}

function ownTensor(tensor: Tensor): Tensor {
  if (tensor.datatype === 'BYTES') return tensor;
  const { buffer, byteOffset, byteLength } = tensor.data;
  return tensorOver(tensor.datatype, tensor.shape, new Uint8Array(buffer, byteOffset, byteLength).slice());
}

/** Bytes that the tensors take in memory. */
export function totalBytes(tensors: Tensors): number {
  return Object.values(tensors).reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
}

/** What a small field or a small object takes, about. */
const fieldBytes = 32;

/** `OK`, or the code of the error. */
export function formatEnd({ error }: CapturedEnd): string {
  return error === undefined ? 'OK' : error.code;
}

/** Predictions that a request is: its instances; the rows of its tensors where rows are independent; else one. */
export function countRows(typed: TypedRequest | undefined, inference: Inference | undefined): number {
  if (typed !== undefined) return typed.instances.length;
  if (inference === undefined || !inference.model.independentRows) return 1;
  return Math.max(1, commonRows([...Object.values(inference.inputs), ...Object.values(inference.outputs)]));
}

/** About how many bytes stay in memory with a request. */
export function heldBytes({ inference, typed, results }: Pick<CapturedPrediction, 'inference' | 'typed' | 'results'>) {
  let bytes = fieldBytes + totalBytes(inference?.inputs ?? {}) + totalBytes(inference?.outputs ?? {});
  for (const instance of typed?.instances ?? []) bytes += valueBytes(instance);
  for (const result of results) bytes += valueBytes(result);
  return bytes;
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return fieldBytes + 2 * value.length;
  if (typeof value !== 'object' || value === null) return fieldBytes;
  if (value instanceof Uint8Array) return fieldBytes + value.byteLength;
  let bytes = fieldBytes;
  for (const member of Object.values(value)) bytes += valueBytes(member);
  return bytes;
}
