import { AppError } from '../errors.ts';
import { invalidFace } from './face-faults.ts';

/** What rounding in the model may add. */
const rounding = 1e-4;

/** What numbers of a model are, by the output and the key of `model.json` that says how they become probabilities. */
export interface ScoreSource {
  readonly output: string;
  readonly key: string;
}

/** Whether a number could be a probability that was rounded. */
function isNearlyOne(value: number | null): boolean {
  return value === null || !Number.isFinite(value) || (value >= -rounding && value <= 1 + rounding);
}

/**
 * A number of a model that stands for a probability as it is.
 *
 * @param value null and what is not finite stand for no number, and are passed on
 * @throws AppError `INTERNAL` for one that is none, whose output needs a function
 */
export function asProbability<Value extends number | null>(value: Value, { output, key }: ScoreSource): Value | number {
  if (value === null || !Number.isFinite(value)) return value;
  if (isNearlyOne(value)) return Math.min(1, Math.max(0, value));
  throw new AppError('INTERNAL', {
    message: `The output ${output} has ${value}, which is no probability; say by ${key} how it becomes one`,
    received: value,
    expected: '0 to 1',
  });
}

/**
 * Looks at the numbers of the example.
 *
 * @param mustSum whether they are of classes that exclude each other
 * @throws AppError `FACE_INVALID` that names the key
 */
export function checkProbabilities(
  values: readonly (number | null)[],
  { output, key }: ScoreSource,
  { mustSum }: { readonly mustSum: boolean },
): void {
  const sum = values.reduce<number>((total, value) => total + (value ?? Number.NaN), 0);
  const isDistribution = !Number.isFinite(sum) || Math.abs(sum - 1) <= 1e-2;
  if (values.every(isNearlyOne) && (!mustSum || values.length === 1 || isDistribution)) return;
  const shown = values.slice(0, 5).join(', ');
  throw invalidFace([
    `${key}: the output ${output} gives ${shown}${values.length > 5 ? ', …' : ''} (sum ${Number(sum.toPrecision(6))}) for the example, which are no probabilities of classes that exclude each other; expected softmax, sigmoid${
      mustSum ? ', or none for probabilities of classes that do not' : ''
    }`,
  ]);
}
