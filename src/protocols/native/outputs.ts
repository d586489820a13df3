import { checkJsonAnswer } from '../../serving/answer-limit.ts';
import type { DecodableInference } from '../../serving/infer.ts';
import { type Nested, tensorToNested } from '../../tensor/json/json-output.ts';
import {
  areLarge,
  encodeTexts,
  type JsonPieces,
  objectText,
  tensorText,
} from '../../tensor/sliced-json/write-sliced-json.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { SlicedWork } from '../../timing/sliced-work.ts';
import { labelledOutput } from './class-labels.ts';
import type { PredictionQuery } from './query.ts';

/**
 * The outputs by name, as nested lists, with the names of classes if they are wanted.
 *
 * @throws AppError `ANSWER_TOO_LARGE`
 */
export function writeOutputs(result: DecodableInference, query: PredictionQuery): Record<string, Nested<unknown>> {
  const { outputs, model, answerLimitBytes } = result;
  checkJsonAnswer(Object.values(outputs), answerLimitBytes);
  const allLabels = query.labels ? model.manifest.labels : {};
  const written = Object.entries(outputs).map(([name, tensor]) => {
    const labels = Object.hasOwn(allLabels, name) ? allLabels[name] : undefined;
    return [name, labels === undefined ? tensorToNested(tensor) : labelledOutput(tensor, name, labels, query.top)];
  });
  return Object.fromEntries(written);
}

/** As {@link writeOutputs}, in pieces where they are large. */
export function* writeSlicedOutputs(
  result: DecodableInference,
  query: PredictionQuery,
): SlicedWork<Record<string, Nested<unknown>> | JsonPieces> {
  const { outputs, model, answerLimitBytes } = result;
  if (!areLarge(Object.values(outputs))) return writeOutputs(result, query);
  checkJsonAnswer(Object.values(outputs), answerLimitBytes);
  const allLabels = query.labels ? model.manifest.labels : {};
  const members = Object.entries(outputs).map(([name, tensor]) => {
    const labels = Object.hasOwn(allLabels, name) ? allLabels[name] : undefined;
    const toValue = (part: Tensor) =>
      labels === undefined ? tensorToNested(part) : labelledOutput(part, name, labels, query.top);
    return [name, tensorText(tensor, toValue)] as const;
  });
  return yield* encodeTexts(yield* objectText(members));
}
