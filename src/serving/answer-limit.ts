import { AppError } from '../errors.ts';
import type { DataType } from '../tensor/data-type.ts';
import { type Tensor, tensorBytes } from '../tensor/tensor.ts';

/** Characters that an element of the type takes in JSON, with its comma, at most. */
const jsonCharacters: Readonly<Record<Exclude<DataType, 'BYTES'>, number>> = {
  BOOL: 6,
  UINT8: 4,
  INT8: 5,
  UINT16: 6,
  INT16: 7,
  UINT32: 11,
  INT32: 12,
  UINT64: 21,
  INT64: 21,
  FP16: 24,
  FP32: 24,
  FP64: 25,
};

/**
 * Checks that outputs are no larger than an answer may be, as tensors.
 *
 * @throws AppError `ANSWER_TOO_LARGE` that names the setting
 */
export function checkAnswer(outputs: readonly Tensor[], limitBytes: number): void {
  const bytes = outputs.reduce((sum, output) => sum + tensorBytes(output), 0);
  if (bytes > limitBytes) throw answerTooLarge(`has ${bytes} bytes`, bytes, limitBytes);
}

/**
 * Checks that outputs are no larger than an answer may be when they are written as JSON, before that takes its time.
 *
 * @throws AppError `ANSWER_TOO_LARGE` that names the setting
 */
export function checkJsonAnswer(outputs: readonly Tensor[], limitBytes: number): void {
  const bytes = outputs.reduce((sum, output) => sum + jsonBytes(output), 0);
  if (bytes > limitBytes) throw answerTooLarge(`may take ${bytes} bytes as JSON`, bytes, limitBytes);
}

function jsonBytes(tensor: Tensor): number {
  if (tensor.datatype !== 'BYTES') return tensor.data.length * jsonCharacters[tensor.datatype];
  let bytes = 0;
  for (const text of tensor.data) bytes += text.length + 3;
  return bytes;
}

function answerTooLarge(size: string, received: number, limitBytes: number): AppError {
  const message = `The answer ${size}, and ANSWER_LIMIT_BYTES allows ${limitBytes}: ask for fewer rows, fewer outputs, or binary tensors`;
  return new AppError('ANSWER_TOO_LARGE', { message, received, expected: limitBytes });
}
