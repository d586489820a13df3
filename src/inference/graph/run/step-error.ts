import { AppError, type Fault } from '../../../errors.ts';
import { shapeText } from '../../../tensor/check-signature.ts';
import type { Tensor, TensorSpec } from '../../../tensor/tensor.ts';
import type { TensorSource } from '../graph-plan.ts';

/** The failure of a step as the request shows it: the same error under `steps.<name>`. */
export function errorOfStep(name: string, error: AppError): AppError {
  const { code, message, received, expected, faultCount, retryAfterSeconds, step } = error;
  return new AppError(code, {
    message: `steps.${name}: ${message}`,
    received,
    expected,
    faults: error.faults.map((fault) => ({ ...fault, location: ['steps', name, ...fault.location] })),
    faultCount,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    step: step === undefined ? name : `${name}.${step}`,
    cause: error,
  });
}

/** Why a step failed, in a sentence that clients may read. */
export function reasonOf(error: AppError): string {
  return error.kind === 'internal' ? `${error.title} (${error.code})` : error.message;
}

/** A tensor that does not fit where it goes: the fault of the request where it comes from there, else of the graph. */
export function doesNotFit(
  location: Fault['location'],
  from: TensorSource | undefined,
  problem: string,
  sides: { readonly received?: unknown; readonly expected?: unknown } = {},
): AppError {
  const message = `${location.join('.')}: ${from === undefined ? '' : `${from.step}.${from.tensor} `}${problem}`;
  const isOfRequest = from?.step === 'input';
  return new AppError(isOfRequest ? 'SIGNATURE_MISMATCH' : 'STEP_MISMATCH', {
    message,
    ...sides,
    ...(isOfRequest && { faults: [{ location, type: 'wrong_shape', message }] }),
  });
}

export function tensorText({ datatype, shape }: Pick<Tensor | TensorSpec, 'datatype' | 'shape'>): string {
  return `${datatype} ${shapeText(shape)}`;
}
