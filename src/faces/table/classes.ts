import { AppError } from '../../errors.ts';
import { invalidFace } from '../face-faults.ts';
import { type ClassFunction, classProbabilities } from '../image-classification/classify.ts';
import { asProbability, checkProbabilities, type ScoreSource } from '../probability.ts';

export type OutputValue = number | string | boolean | null;

/** The classes that an output has numbers of. */
export interface Classes {
  readonly output: string;
  /** What results call them. */
  readonly names: readonly string[];
  /** What the graph calls them, which its labels are compared with. */
  readonly graphNames: readonly string[] | undefined;
  readonly function: ClassFunction | undefined;
}

function sourceOf({ output }: Classes): ScoreSource {
  return { output, key: 'face.function' };
}

/** @param isChecked whether numbers that are taken as they are have to be probabilities */
export function probabilitiesOf(
  scores: readonly (number | null)[],
  classes: Classes,
  isChecked = true,
): readonly (number | null)[] {
  const name = classes.function ?? 'none';
  if (name === 'none') return isChecked ? scores.map((score) => asProbability(score, sourceOf(classes))) : scores;
  const computed = classProbabilities(
    Float64Array.from(scores, (score) => score ?? Number.NaN),
    name,
  );
  return Array.from(computed, (probability) => (Number.isFinite(probability) ? probability : null));
}

/**
 * Looks at the numbers and the label of the example.
 *
 * @param label undefined where the model has none
 * @throws AppError `FACE_INVALID`
 */
export function checkClasses(
  scores: readonly (number | null)[],
  label: OutputValue | undefined,
  classes: Classes,
): void {
  const mustSum = classes.function === undefined;
  checkProbabilities(probabilitiesOf(scores, classes, false), sourceOf(classes), { mustSum });
  if (label !== undefined) checkLabel(label, scores, classes);
}

/**
 * A label that is called as none of the classes is taken for their number. Whether it is one is seen by the example, whose
 * most probable class it has to be.
 */
function checkLabel(label: OutputValue, scores: readonly OutputValue[], classes: Classes): void {
  const { output, names } = classes;
  if (isCalled(label, classes)) return;
  const best = greatest(scores);
  const isPlace = Number.isInteger(Number(label)) && names[Number(label)] !== undefined;
  if (isPlace && scores[Number(label)] === scores[best]) return;
  throw invalidFace([
    `labels.${output}: the model gives the label ${JSON.stringify(label)} for the example, of whose classes ${JSON.stringify(names[best])} (number ${best}) is the most probable; expected names as the model calls its classes, or a model whose labels are their numbers from 0`,
  ]);
}

function isCalled(label: OutputValue | undefined, { names, graphNames }: Classes): boolean {
  return graphNames?.includes(String(label)) === true || names.includes(String(label));
}

/** The place of a label among the classes: what the graph calls them, their names, or their numbers. */
export function indexOfLabel(label: OutputValue | undefined, { output, names, graphNames }: Classes): number {
  const text = String(label);
  // Where the graph calls its classes by numbers, a number is no place among them.
  const place = graphNames?.every((name) => /^-?\d+$/.test(name)) === true ? -1 : Number(label);
  const known = [graphNames?.indexOf(text), names.indexOf(text), place];
  const index = known.find((one) => one !== undefined && one >= 0 && one < names.length);
  if (index !== undefined && Number.isInteger(index)) return index;
  throw wrongOutput(output, `the label ${JSON.stringify(label)}`, `one of ${names.join(', ')}`);
}

export function greatest(row: readonly OutputValue[]): number {
  let best = 0;
  for (let index = 1; index < row.length; index++) if (Number(row[index]) > Number(row[best])) best = index;
  return best;
}

export function wrongOutput(name: string, received: string, expected: string): AppError {
  return new AppError('INTERNAL', {
    message: `The output ${name} has ${received}; expected ${expected}`,
    received,
    expected,
  });
}
