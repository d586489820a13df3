import { AppError } from '../../errors.ts';
import type { Prediction } from '../../http/prediction/predict-tensors.ts';
import { quote } from '../../tensor/malformed-tensor.ts';
import type { JsonPieces } from '../../tensor/sliced-json/write-sliced-json.ts';
import { inTurns } from '../../timing/turns.ts';
import { invalidBody } from '../invalid-body.ts';
import { isJsonObject } from '../named-inputs.ts';
import { slicedColumns, slicedPredictions, tensorsFromInputs, tensorsFromInstances } from '../row-format.ts';

const onlySignature = 'serving_default';

/** What is asked of a model by a body with `instances` or `inputs`; the answer has `predictions` or `outputs`. */
export type BodyPrediction = Pick<Prediction<Readonly<Record<string, unknown>> | JsonPieces>, 'encode' | 'decode'>;

/**
 * Reads the body of a V1 prediction.
 *
 * @param body undefined or null where there is none
 * @throws AppError `MALFORMED_JSON` if there is none; `VALIDATION_FAILED` if it is no object, names another signature, or has not exactly one of
 *   `instances` and `inputs`
 */
export function readPrediction(body: unknown): BodyPrediction {
  if (body === undefined || body === null) {
    throw new AppError('MALFORMED_JSON', { message: 'The body is empty or null; expected an object' });
  }
  if (!isJsonObject(body)) throw invalidBody('The body must be an object with instances or inputs');
  const { signature_name: signatureName, instances, inputs } = body;
  // TensorFlow Serving takes an empty name for the usual one, and clients write what they leave out as null.
  if (![undefined, null, '', onlySignature].includes(signatureName as string)) {
    const message = `There is no signature ${quote(signatureName)}; every model has ${onlySignature} alone`;
    throw invalidBody(message, ['body', 'signature_name']);
  }
  const [hasInstances, hasInputs] = [isGiven(instances), isGiven(inputs)];
  if (hasInstances === hasInputs) {
    throw invalidBody('The body must have instances or inputs, and not both');
  }
  if (hasInstances) {
    return {
      encode: ({ signature }) => inTurns(tensorsFromInstances(instances, signature)),
      decode: (result) => inTurns(slicedPredictions(result)),
    };
  }
  return {
    encode: ({ signature }) => inTurns(tensorsFromInputs(inputs, signature)),
    decode: (result) => inTurns(slicedColumns(result, 'outputs')),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
