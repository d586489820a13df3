import { checkJsonAnswer } from '../../serving/answer-limit.ts';
import type { InferResult } from '../../serving/infer.ts';
import { type Nested, tensorToNested } from '../../tensor/json-output.ts';
import { labelledOutput } from './class-labels.ts';
import type { PredictionQuery } from './query.ts';

/**
 * The outputs by name, as nested lists, with the names of classes if they are wanted.
 *
 * @throws AppError `ANSWER_TOO_LARGE`
 */
export function writeOutputs(
  { outputs, model, answerLimitBytes }: InferResult,
  query: PredictionQuery,
): Record<string, Nested<unknown>> {
  checkJsonAnswer(Object.values(outputs), answerLimitBytes);
  const allLabels = query.labels ? model.manifest.labels : {};
  const written = Object.entries(outputs).map(([name, tensor]) => {
    const labels = Object.hasOwn(allLabels, name) ? allLabels[name] : undefined;
    return [name, labels === undefined ? tensorToNested(tensor) : labelledOutput(tensor, name, labels, query.top)];
  });
  return Object.fromEntries(written);
}
